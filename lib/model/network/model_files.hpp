#pragma once

#include <future>
#include <memory>
#include <string>

#include "model/device/device_weights.hpp"
#include "model/forecast_model.hpp"
#include "model/mosaic_model.hpp"
#include "model/network/member_step.hpp"
#include "model/network/network.hpp"
#include "stores/tensor_file.hpp"

namespace mosaic {

/// The files of a Mosaic model, opened and checked, on the way to the processor's network or to a device's.
/// Checksums are made by threads of their own; `options` must live as long.
class ModelFiles {
 public:
  /// Errors: those of make_mosaic_model().
  explicit ModelFiles(const MosaicModelOptions& options);

  Normalisation normalisation() const;
  NetworkTables tables() const;
  /// As the network's precision has them.
  Parameters parameters() const;
  /// One parameter, float32; lent by the file where it holds float32.
  HostParameter parameter(const std::string& name) const;
  /// The model's identity, once: after it the weights are known to be those that the file's checksum is of.
  /// Errors: corrupt_input.
  std::string verified_identity();

 private:
  const MosaicModelOptions& options_;
  std::string formula_;                     ///< key of pseudo-random weights; empty: a checkpoint
  std::unique_ptr<TensorFile> checkpoint_;  ///< null for pseudo-random weights
  std::future<std::string> identity_;
  std::future<void> verification_;  ///< of checkpoint_, if there is one
};

/// What a forecast loop must know of the model, normalisation included, but for its identity.
ModelInfo mosaic_model_info(const MosaicModelOptions& options, const Normalisation& normalisation);

}  // namespace mosaic

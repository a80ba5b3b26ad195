#pragma once

#include <memory>
#include <vector>

#include "model/forecast_model.hpp"
#include "model/mosaic_model.hpp"
#include "model/network/member_step.hpp"
#include "model/network/network.hpp"
#include "stores/tensor_file.hpp"

namespace mosaic {

/// The files of a Mosaic model, opened and checked, on the way to the processor's network or to a device's.
class ModelFiles {
 public:
  /// Errors: those of make_mosaic_model().
  explicit ModelFiles(const MosaicModelOptions& options);

  Normalisation normalisation() const;
  NetworkTables tables() const;
  /// As the network's precision has them.
  Parameters parameters() const;
  /// One parameter, float32.
  std::vector<float> parameter(const std::string& name) const;

 private:
  const MosaicModelOptions& options_;
  std::string formula_;                     ///< key of pseudo-random weights; empty: a checkpoint
  std::unique_ptr<TensorFile> checkpoint_;  ///< null for pseudo-random weights
};

/// What a forecast loop must know of the model, normalisation included.
ModelInfo mosaic_model_info(const MosaicModelOptions& options, const Normalisation& normalisation);

}  // namespace mosaic

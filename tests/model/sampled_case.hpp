#pragma once

#include <set>

#include "model/golden_case.hpp"

namespace mosaic::test {

/// A golden case that stores samples: stages, attention, selected blocks, output (folders mid and full).
class SampledCase {
 public:
  /// `neighbours` holds to_hp and to_ll; where it is null the tables are made as the published code makes
  /// them.
  SampledCase(const std::filesystem::path& config_json, const std::filesystem::path& samples,
              const TensorFile* neighbours);

  /// State, static columns and weights against the checks of the formulas that the file stores.
  void check_inputs() const;
  /// One forward pass of a member against everything that the file stores of it.
  void check_member(int member) const;
  /// Error of a member's output [P, C] at the stored points, relative in the L2 norm.
  double output_error(const at::Tensor& output, int member) const;
  /// Noise of a member, [noise width].
  at::Tensor noise(int member) const;
  const at::Tensor& features() const { return features_; }  ///< [P, T C + 10]
  const Network& network() const { return network_; }
  /// d loss / d parameter of every parameter.
  void check_gradients() const;

 private:
  struct Seen;  // what a forward pass has compared
  void check_samples(const std::string& name, const at::Tensor& ours, int member, Seen& seen) const;
  void check_mean_rms(const std::string& name, const at::Tensor& ours, int member, Seen& seen) const;
  void check_selection(const std::string& block, const at::Tensor& index, int member, Seen& seen) const;
  void check_gates(const std::string& block, const at::Tensor& gates, int member, Seen& seen) const;
  void check_output(const at::Tensor& output, int member, Seen& seen) const;

  GoldenCase which_;
  std::unique_ptr<TensorFile> truth_;
  Network network_;
  at::Tensor states_;    // [P, T, C]
  at::Tensor features_;  // [P, T C + 10]
};

}  // namespace mosaic::test

#pragma once

#include <string>
#include <vector>

#include "model/network/network.hpp"

namespace mosaic {

/// Relative errors of one stage's output against float64, |x - x64| / |x64| in the L2 norm.
struct StageErrors {
  std::string stage;
  double ours = 0;   ///< of the network in two precisions
  double naive = 0;  ///< of the naive version
};

/// What errors of a precision are measured with: the same weights in float64, and operation by operation in
/// `type`, residual stream included (norms, rotary embedding and interpolation are summed in float32 and
/// rounded; noise and tables stay float32). From a network in float32.
struct PrecisionYardsticks {
  explicit PrecisionYardsticks(const Network& single, at::ScalarType type = at::kBFloat16);
  Network exact, naive;
};

/// Runs all three on the blocks that float64 selects; stages in the order in which they run, the output last.
/// features [P, 82 T + 10] and noise [noise width] float32.
std::vector<StageErrors> precision_errors(const Network& ours, const PrecisionYardsticks& yardsticks,
                                          const at::Tensor& features, const at::Tensor& noise);

}  // namespace mosaic

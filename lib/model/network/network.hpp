#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernels/block_sparse_attention/block_sparse_attention_torch.hpp"
#include "model/network_config.hpp"

namespace mosaic {

/// Where an interpolation gets its values from.
struct InterpolationTable {
  at::Tensor neighbours;  ///< [targets, k] int64
  at::Tensor rel_pos;     ///< [targets, k, 3]
};

/// Constant geometry of a network. P lat-lon points, longitude-major; N tokens, NESTED.
struct NetworkTables {
  at::Tensor static_columns;  ///< [P, 6] standardised
  InterpolationTable to_hp, to_ll;
  std::vector<at::Tensor> cosine, sine;   ///< per level [N, D / 2]
  std::vector<at::Tensor> child_offsets;  ///< per stage [parents, 12]: from its level to the next coarser one
};

using Parameters = std::map<std::string, at::Tensor>;  ///< published name -> tensor

/// Sees intermediate results; every member may be empty. Names are those of the parameters, without `model.`.
struct NetworkObserver {
  std::function<void(const std::string& stage, const at::Tensor& output)> stage;
  std::function<void(const std::string& block, const at::Tensor& q_rope, const at::Tensor& k_rope,
                     const at::Tensor& v, const kernels::AttentionInternals& internals,
                     const at::Tensor& gated, const at::Tensor& out)>
      attention;
  /// Blocks that the attention of `block` selects, in place of its own choice where they are defined.
  std::function<at::Tensor(const std::string& block)> selection;
};

/// The Mosaic network for one member (model.md sections 3 to 5). All tensors of one floating type; gradients
/// reach every parameter that requires them. Or, without gradients, in two precisions: weights in bfloat16
/// get operands in bfloat16, everything else has the type of the last linear layer's weight. Safe to call
/// from several threads.
class Network {
 public:
  /// Takes parameters of exactly parameter_shapes(config) and matching tables.
  Network(const NetworkConfig& config, Parameters parameters, NetworkTables tables);

  /// features [P, 82 T + 10], noise e [noise width] (ignored without noise) -> normalised next state [P, C].
  at::Tensor forward(const at::Tensor& features, const at::Tensor& noise,
                     const NetworkObserver* observer = nullptr) const;

  const NetworkConfig& config() const { return config_; }
  const Parameters& parameters() const { return parameters_; }
  const NetworkTables& tables() const { return tables_; }

 private:
  struct Step;  // what one forward pass carries along

  /// A linear layer in the type of its weight, and in that of the stream.
  at::Tensor product(const std::string& name, const at::Tensor& x, const char* operation) const;
  at::Tensor linear(const std::string& name, const at::Tensor& x, const char* operation) const;
  /// x + a linear layer of y.
  at::Tensor with_product(const at::Tensor& x, const at::Tensor& y, const std::string& name,
                          const char* operation) const;
  at::Tensor stage(const std::string& part, std::size_t level, int depth, at::Tensor x,
                   const Step& step) const;
  at::Tensor attention(const std::string& block, std::size_t level, std::size_t index, const at::Tensor& x,
                       const Step& step) const;
  at::Tensor feed_forward(const std::string& block, const at::Tensor& x, const Step& step) const;
  at::Tensor interpolate(const std::string& part, const InterpolationTable& table, const at::Tensor& x) const;
  at::Tensor downsample(std::size_t stage, const at::Tensor& x) const;
  at::Tensor upsample(std::size_t stage, const at::Tensor& x, const at::Tensor& skip) const;

  NetworkConfig config_;
  Parameters parameters_;
  NetworkTables tables_;
  at::ScalarType operand_ = at::kFloat, stream_ = at::kFloat;  // of large products, of the residual stream
};

}  // namespace mosaic

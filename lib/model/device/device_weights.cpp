#include "model/device/device_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <string_view>

#include "base/error.hpp"
#include "kernels/row_norm/row_norm_device.hpp"
#include "kernels/swiglu/swiglu_device.hpp"

namespace mosaic {

namespace {

using kernels::DeviceMemory;
using kernels::ElementType;
using kernels::Stream;

/// A matrix on the host and where its rows go: row i of the device's is row source(i), zeros where that is
/// negative.
struct HostMatrix {
  std::vector<std::span<const float>> parts;  ///< whole rows, one part below the other
  std::int64_t columns = 0;
  std::int64_t padded_rows = 0, padded_columns = 0;
  std::function<std::int64_t(std::int64_t)> source = {};

  std::int64_t rows() const {
    return std::accumulate(parts.begin(), parts.end(), std::int64_t(0),
                           [this](std::int64_t sum, std::span<const float> part) {
                             return sum + static_cast<std::int64_t>(part.size()) / columns;
                           });
  }

  std::span<const float> row(std::int64_t number) const {
    auto first = static_cast<std::size_t>(number * columns);
    auto part = parts.begin();
    for (; first >= part->size(); ++part) {
      first -= part->size();
    }
    return part->subspan(first, static_cast<std::size_t>(columns));
  }
};

/// Pinned memory and where it is copied to.
struct Staging {
  static constexpr std::size_t bytes = std::size_t(32) << 20;
  kernels::PinnedMemory pinned{bytes};
  DeviceMemory device{bytes};
  Stream stream;
};

/// Rows are gathered into one staging while the device copies and rounds those of the other.
class Loader {
 public:
  Loader(ElementType precision, const Stream& stream) : precision_(precision), stream_(stream) {}

  DeviceMemory matrix(HostMatrix m, ElementType type) {
    const std::int64_t rows = m.rows();
    for (const auto& part : m.parts) {
      require(part.size() % static_cast<std::size_t>(m.columns) == 0,
              "device weights: {} values in rows of {}", part.size(), m.columns);
    }
    m.padded_rows = std::max(m.padded_rows, rows);
    m.padded_columns = std::max(m.padded_columns, m.columns);
    DeviceMemory result(static_cast<std::size_t>(m.padded_rows * m.padded_columns) * size_of(type));
    const auto row_bytes = static_cast<std::size_t>(m.padded_columns) * sizeof(float);
    const auto most = static_cast<std::int64_t>(Staging::bytes / row_bytes);
    for (std::int64_t first = 0; first < m.padded_rows; first += most) {
      const std::int64_t count = std::min(most, m.padded_rows - first);
      std::swap(staging_.front(), staging_.back());
      const Staging& staging = *staging_.front();
      staging.stream.wait();  // before its pinned memory is written again
      gather(m, rows, first, count, staging.pinned.as<float>().data());
      kernels::copy_to_device(staging.device.data(), staging.pinned.bytes().data(),
                              static_cast<std::size_t>(count) * row_bytes, staging.stream);
      convert(m, first, count, type, staging, result);
    }
    return result;
  }

  /// The parts' rows, one part below the other.
  DeviceMemory stacked(std::vector<std::span<const float>> parts, std::int64_t columns,
                       std::int64_t padded_rows) {
    return matrix({std::move(parts), columns, padded_rows}, precision_);
  }

  DeviceMemory operand(const HostParameter& parameter, std::int64_t columns, std::int64_t padded_rows = 0,
                       std::int64_t padded_columns = 0) {
    return matrix({{parameter.values()}, columns, padded_rows, padded_columns}, precision_);
  }

  template <class T>
  DeviceMemory array(std::span<const T> values) {
    DeviceMemory result(values.size_bytes());
    kernels::copy_to_device(result.data(), values.data(), values.size_bytes(), stream_);
    stream_.wait();
    return result;
  }

  /// All matrices are on the device when it returns.
  void finish() const {
    for (const auto& staging : staging_) {
      staging->stream.wait();
    }
  }

  const Stream& stream() const { return stream_; }
  ElementType precision() const { return precision_; }

 private:
  static void gather(const HostMatrix& m, std::int64_t rows, std::int64_t first, std::int64_t count,
                     float* target) {
    for (std::int64_t i = first; i < first + count; ++i, target += m.padded_columns) {
      const std::int64_t row = m.source ? m.source(i) : i < rows ? i : -1;
      float* end = target;
      if (row >= 0) {
        end = std::ranges::copy(m.row(row), target).out;
      }
      std::fill(end, target + m.padded_columns, 0.0F);
    }
  }

  static void convert(const HostMatrix& m, std::int64_t first, std::int64_t count, ElementType type,
                      const Staging& staging, const DeviceMemory& result) {
    kernels::RowNormArgs args;
    args.rows = count;
    args.width = m.padded_columns;
    args.x = staging.device.data();
    args.norms = 0;
    args.out_type = type;
    args.out = result.as<std::byte>() + static_cast<std::size_t>(first * m.padded_columns) * size_of(type);
    kernels::row_norm(args, staging.stream);
  }

  ElementType precision_;
  const Stream& stream_;
  std::array<std::unique_ptr<Staging>, 2> staging_{std::make_unique<Staging>(), std::make_unique<Staging>()};
};

DeviceBlock load_block(const NetworkConfig& config, const HostNetwork& host, const BlockPlace& place,
                       Loader& loader) {
  const StageConfig& stage = config.level(place.level);
  const std::int64_t w = stage.width, hidden = w * config.mlp_ratio;
  const std::string prefix = "model." + place.name;
  std::vector<HostParameter> inputs;
  for (const char* name : {"to_q", "to_k", "to_v", "to_strategy_combine_mlp"}) {
    if (place.gates || name != std::string_view("to_strategy_combine_mlp")) {
      inputs.push_back(host.parameter(fmt::format("{}.attention.{}.weight", prefix, name)));
    }
  }
  std::vector<std::span<const float>> parts;
  std::ranges::transform(inputs, std::back_inserter(parts), &HostParameter::values);
  DeviceBlock block;
  block.qkv = loader.stacked(parts, w, qkv_columns(config, stage, place.gates));
  block.out = loader.operand(host.parameter(prefix + ".attention.to_o.weight"), w);
  std::vector<std::int64_t> source(static_cast<std::size_t>(2 * hidden));
  for (std::int64_t row = 0; row < 2 * hidden; ++row) {
    source[static_cast<std::size_t>(kernels::interleaved_row(row, hidden))] = row;
  }
  const HostParameter w13 = host.parameter(prefix + ".ffn.w13.weight");
  block.hidden = loader.matrix(
      {{w13.values()}, w, 0, 0, [&](std::int64_t row) { return source[static_cast<std::size_t>(row)]; }},
      loader.precision());
  block.back = loader.operand(host.parameter(prefix + ".ffn.w2.weight"), hidden);
  return block;
}

/// Rows 3 h + c: the head's factor of component c of the relative position, sum over d of Wq[h d, c] Wk[h d,
/// :].
std::vector<float> score_factors(std::span<const float> q, std::span<const float> k, std::int64_t heads,
                                 std::int64_t head_width, std::int64_t width) {
  std::vector<float> factors(static_cast<std::size_t>(3 * heads * width));
  std::vector<double> row(static_cast<std::size_t>(width));
  for (std::int64_t h = 0; h < heads; ++h) {
    for (std::int64_t c = 0; c < 3; ++c) {
      std::fill(row.begin(), row.end(), 0.0);
      for (std::int64_t d = h * head_width; d < (h + 1) * head_width; ++d) {
        const double factor = q[static_cast<std::size_t>(3 * d + c)];
        for (std::int64_t i = 0; i < width; ++i) {
          row[static_cast<std::size_t>(i)] += factor * k[static_cast<std::size_t>(d * width + i)];
        }
      }
      std::copy(row.begin(), row.end(), factors.begin() + (3 * h + c) * width);
    }
  }
  return factors;
}

DeviceInterpolation load_interpolation(const NetworkConfig& config, const HostNetwork& host,
                                       const std::string& part, const HostNetwork::Interpolation& table,
                                       Loader& loader) {
  const std::int64_t w = config.stages.front().width, heads = w / config.head_width;
  const HostParameter kv = host.parameter("model." + part + ".to_kv.weight");
  const std::span<const float> k = kv.values().first(static_cast<std::size_t>(w * w));
  const HostParameter factors = score_factors(host.parameter("model." + part + ".to_q.weight").values(), k,
                                              heads, config.head_width, w);
  DeviceInterpolation result;
  result.t = loader.operand(factors, w, interpolation_columns(config));
  result.values = loader.operand(HostParameter(kv.values().subspan(k.size())), w);
  result.out = loader.operand(host.parameter("model." + part + ".to_o.weight"), w);
  result.neighbours = loader.array(std::span<const std::int32_t>(table.neighbours));
  result.rel_pos = loader.array(std::span<const float>(table.rel_pos));
  result.targets = static_cast<std::int64_t>(table.neighbours.size()) / config.neighbours;
  return result;
}

/// Wp r of all parents: the same for all members and steps. Shape: [parents, outputs] float32.
DeviceMemory position_term(const std::vector<float>& offsets, std::span<const float> weight,
                           kernels::MatrixProducts& products, Loader& loader) {
  constexpr std::int64_t inputs = 12, padded_inputs = 16;
  const std::int64_t parents = static_cast<std::int64_t>(offsets.size()) / inputs,
                     outputs = static_cast<std::int64_t>(weight.size()) / inputs;
  const DeviceMemory x = loader.matrix({{offsets}, inputs, 0, padded_inputs}, ElementType::float32);
  const DeviceMemory w = loader.matrix({{weight}, inputs, 0, padded_inputs}, ElementType::float32);
  loader.finish();
  DeviceMemory result(static_cast<std::size_t>(parents * outputs) * sizeof(float));
  products.run({parents, padded_inputs, outputs, ElementType::float32, x.data(), w.data(),
                ElementType::float32, result.data(), false},
               loader.stream());
  loader.stream().wait();
  return result;
}

DeviceLevelChange load_change(const NetworkConfig& config, const HostNetwork& host, std::size_t s,
                              kernels::MatrixProducts& products, Loader& loader) {
  const std::int64_t fine = config.level(s).width, coarse = config.level(s + 1).width;
  const std::string down = fmt::format("model.downsample_layers.{}.", s),
                    up = fmt::format("model.upsample_layers.{}.", config.stages.size() - 1 - s);
  DeviceLevelChange change;
  change.down = loader.operand(host.parameter(down + "proj_x.weight"), 4 * fine);
  change.up = loader.operand(host.parameter(up + "proj_x.weight"), coarse);
  change.down_position = position_term(host.child_offsets[s],
                                       host.parameter(down + "proj_pos.weight").values(), products, loader);
  change.up_position =
      position_term(host.child_offsets[s], host.parameter(up + "proj_pos.weight").values(), products, loader);
  return change;
}

}  // namespace

DeviceWeights load_device_weights(const NetworkConfig& config, const HostNetwork& host, ElementType precision,
                                  kernels::MatrixProducts& products, const Stream& stream) {
  Loader loader(precision, stream);
  DeviceWeights weights;
  std::vector<float> noise_bias;
  for (const BlockPlace& place : block_places(config)) {
    weights.blocks.emplace(place.name, load_block(config, host, place, loader));
    if (config.noise == NoiseKind::per_step) {
      const HostParameter bias = host.parameter("model." + place.name + ".ffn.noise_bias.weight");
      noise_bias.insert(noise_bias.end(), bias.values().begin(), bias.values().end());
    }
  }
  weights.to_hp = load_interpolation(config, host, "interp_to_hp", host.to_hp, loader);
  weights.to_ll = load_interpolation(config, host, "interp_to_ll", host.to_ll, loader);
  for (std::size_t s = 0; s < config.stages.size(); ++s) {
    weights.changes.push_back(load_change(config, host, s, products, loader));
  }
  const std::int64_t w = config.stages.front().width;
  weights.preprocess_0 = loader.operand(host.parameter("model.preprocess.0.weight"), config.features(), 0,
                                        feature_columns(config));
  weights.preprocess_3 = loader.operand(host.parameter("model.preprocess.3.weight"), w);
  weights.postprocess_1 = loader.operand(host.parameter("model.postprocess.1.weight"), w);
  weights.postprocess_3 =
      loader.operand(host.parameter("model.postprocess.3.weight"), w, output_columns(config));
  if (config.noise == NoiseKind::per_step) {
    weights.to_noise = loader.array(host.parameter("model.noise_generator.to_noise.weight").values());
    weights.noise_bias = loader.array(std::span<const float>(noise_bias));
  }
  weights.static_columns = loader.array(std::span<const float>(host.static_columns));
  for (std::size_t level = 0; level < config.levels(); ++level) {
    weights.cosine.push_back(loader.array(std::span<const float>(host.cosine[level])));
    weights.sine.push_back(loader.array(std::span<const float>(host.sine[level])));
  }
  loader.finish();
  return weights;
}

}  // namespace mosaic

#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "base/error.hpp"
#include "grid/mesh_tables.hpp"
#include "grid/sphere_points.hpp"
#include "model/network/loading.hpp"

namespace mosaic {

namespace {

using at::Tensor;
using Shape = std::vector<std::int64_t>;

/// The entry if the file has it. Errors: corrupt_input for another shape.
const TensorView* find_entry(const TensorFile* file, const std::string& name, const Shape& shape) {
  if (file == nullptr || !file->has(name)) {
    return nullptr;
  }
  const TensorView& view = file->at(name);
  require(view.shape == shape, ExitCode::corrupt_input, "{}: {} is ({}), the configuration needs ({})",
          file->path(), name, fmt::join(view.shape, ", "), fmt::join(shape, ", "));
  return &view;
}

Tensor stored_or(const TensorFile* file, const std::string& name, const Shape& shape,
                 const std::function<std::vector<float>()>& computed) {
  const TensorView* view = find_entry(file, name, shape);
  return tensor_from(view != nullptr ? view->to_float() : computed(), shape);
}

struct InterpolationSource {
  std::string part;   // parameter name: interp_to_hp, interp_to_ll
  std::string entry;  // name in a neighbour file: to_hp, to_ll
  const SpherePoints& sources;
  const SpherePoints& targets;
};

NeighbourTable neighbour_table(const InterpolationSource& what, int k, const TensorFile* checkpoint,
                               const TensorFile* neighbours, int threads) {
  const Shape shape = {static_cast<std::int64_t>(what.targets.size()), k};
  const std::string name = "model." + what.part + ".neighbors";
  const TensorFile* file = checkpoint;
  const TensorView* view = find_entry(checkpoint, name, shape);
  if (view == nullptr) {
    file = neighbours;
    view = find_entry(neighbours, what.entry, shape);
  }
  if (view == nullptr) {
    return nearest_neighbours(what.sources, what.targets, k, threads);
  }
  NeighbourTable table{k, what.targets.size(), {}};
  for (const std::int64_t index : view->to_int64()) {
    require(index >= 0 && static_cast<std::size_t>(index) < what.sources.size(), ExitCode::corrupt_input,
            "{}: a neighbour of {} is point {}, but the source grid has {} points", file->path(), what.part,
            index, what.sources.size());
    table.index.push_back(static_cast<std::int32_t>(index));
  }
  return table;
}

InterpolationTable interpolation_table(const InterpolationSource& what, int k, const TensorFile* checkpoint,
                                       const TensorFile* neighbours, int threads) {
  const NeighbourTable table = neighbour_table(what, k, checkpoint, neighbours, threads);
  const std::int64_t targets = static_cast<std::int64_t>(table.targets);
  const std::vector<std::int64_t> index(table.index.begin(), table.index.end());
  return {tensor_from(index, {targets, k}),
          stored_or(checkpoint, "model." + what.part + ".rel_pos", {targets, k, 3},
                    [&] { return relative_positions(what.sources, what.targets, table); })};
}

/// Stored rotary tables of the blocks of a level: every copy must be the same; nothing if there is none.
std::optional<Tensor> stored_rope(const TensorFile* file, const NetworkConfig& config, std::size_t level,
                                  const std::string& entry, const Shape& shape) {
  std::optional<Tensor> first;
  const std::size_t count = config.stages.size();
  const std::vector<std::string> parts =
      level == count ? std::vector<std::string>{"bottleneck"}
                     : std::vector<std::string>{fmt::format("encoder_stages.{}", level),
                                                fmt::format("decoder_stages.{}", count - 1 - level)};
  const StageConfig& stage = config.level(level);
  for (const std::string& part : parts) {
    for (int i = 0; i < std::max(stage.encoder_depth, stage.decoder_depth); ++i) {
      for (const char* side : {"q_rope", "k_rope"}) {
        const std::string name = fmt::format("model.{}.blocks.{}.attention.{}.{}", part, i, side, entry);
        if (const TensorView* view = find_entry(file, name, shape); view != nullptr) {
          const Tensor table = tensor_from(view->to_float(), shape);
          require(!first || first->equal(table), ExitCode::corrupt_input,
                  "{}: {} differs from the table of another block of its level", file->path(), name);
          first = table;
        }
      }
    }
  }
  return first;
}

Tensor child_offsets(const TensorFile* file, const NetworkConfig& config, std::size_t s) {
  const HealpixMesh parents(config.level(s + 1).nside);
  const Shape shape = {parents.pixels(), 12};
  const auto compute = [&] { return standardised_child_offsets(parents); };
  const Tensor down = stored_or(file, fmt::format("model.downsample_layers.{}.rel_pos", s), shape, compute);
  const std::string name = fmt::format("model.upsample_layers.{}.rel_pos", config.stages.size() - 1 - s);
  const TensorView* up = find_entry(file, name, shape);
  require(up == nullptr || down.equal(tensor_from(up->to_float(), shape)), ExitCode::corrupt_input,
          "{}: {} differs from the offsets of the downsampling", file != nullptr ? file->path() : "", name);
  return down;
}

}  // namespace

Tensor static_columns(std::span<const float> fields, const LatLonGrid& grid) {
  const SpherePoints points = sphere_points(grid);
  const std::size_t n = points.size();
  require(fields.size() == 3 * n, "static fields: {} values for {} points", fields.size(), n);
  std::vector<float> columns(6 * n);
  for (std::size_t c = 0; c < 6; ++c) {
    const auto value = [&](std::size_t p) -> double {
      return c < 3 ? fields[3 * p + c] : points.xyz[3 * p + c - 3];
    };
    double mean = 0, squares = 0;
    for (std::size_t p = 0; p < n; ++p) {
      mean += value(p) / static_cast<double>(n);
    }
    for (std::size_t p = 0; p < n; ++p) {
      squares += (value(p) - mean) * (value(p) - mean);
    }
    const double deviation = std::sqrt(squares / static_cast<double>(n - 1));
    for (std::size_t p = 0; p < n; ++p) {
      columns[6 * p + c] = static_cast<float>((value(p) - mean) / (deviation + 1e-6));
    }
  }
  return tensor_from(columns, {static_cast<std::int64_t>(n), 6});
}

NetworkTables make_tables(const NetworkConfig& config, const LatLonGrid& grid, const Tensor& columns,
                          const TensorFile* checkpoint, const TensorFile* neighbours, int threads) {
  NetworkTables tables;
  const SpherePoints lat_lon = sphere_points(grid);
  const SpherePoints mesh = sphere_points(HealpixMesh(config.stages.front().nside));
  const std::int64_t points = static_cast<std::int64_t>(lat_lon.size());
  const TensorView* stored = find_entry(checkpoint, "model.static_vars", {points, 1, 6});
  tables.static_columns = stored != nullptr ? tensor_from(stored->to_float(), {points, 6}) : columns;
  tables.to_hp = interpolation_table({"interp_to_hp", "to_hp", lat_lon, mesh}, config.neighbours, checkpoint,
                                     neighbours, threads);
  tables.to_ll = interpolation_table({"interp_to_ll", "to_ll", mesh, lat_lon}, config.neighbours, checkpoint,
                                     neighbours, threads);
  for (std::size_t level = 0; level < config.levels(); ++level) {
    const SpherePoints tokens = sphere_points(HealpixMesh(config.level(level).nside));
    const RopeTables rope = rope_tables(tokens, config.head_width);
    const Shape shape = {static_cast<std::int64_t>(tokens.size()), rope.angles};
    const auto cosine = stored_rope(checkpoint, config, level, "cos_freqs", shape);
    const auto sine = stored_rope(checkpoint, config, level, "sin_freqs", shape);
    tables.cosine.push_back(cosine ? *cosine : tensor_from(rope.cosine, shape));
    tables.sine.push_back(sine ? *sine : tensor_from(rope.sine, shape));
  }
  for (std::size_t s = 0; s < config.stages.size(); ++s) {
    tables.child_offsets.push_back(child_offsets(checkpoint, config, s));
  }
  return tables;
}

}  // namespace mosaic

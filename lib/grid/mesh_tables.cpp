#include "grid/mesh_tables.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.hpp"

namespace mosaic {

std::vector<float> relative_positions(const SpherePoints& sources, const SpherePoints& targets,
                                      const NeighbourTable& table) {
  require(table.targets == targets.size() &&
              table.index.size() == table.targets * static_cast<std::size_t>(table.k),
          "a neighbour table of {} targets x {} does not fit {} points", table.targets, table.k,
          targets.size());
  std::vector<float> rel(3 * table.index.size());
  auto out = rel.begin();
  for (std::size_t target = 0; target < table.targets; ++target) {
    for (const std::int32_t source : table.row(target)) {
      require(source >= 0 && static_cast<std::size_t>(source) < sources.size(),
              "neighbour {} of target {} is outside the {} source points", source, target, sources.size());
      std::array<float, 3> v{};
      for (std::size_t axis = 0; axis < 3; ++axis) {
        v[axis] = targets.xyz[3 * target + axis] - sources.xyz[3 * static_cast<std::size_t>(source) + axis];
      }
      const float length = std::max(std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]), 1e-12F);
      out = std::transform(v.begin(), v.end(), out, [length](float x) { return x / length; });
    }
  }
  return rel;
}

std::vector<float> standardised_child_offsets(const HealpixMesh& parents) {
  constexpr std::size_t columns = 12;
  const SpherePoints parent_points = sphere_points(parents);
  const SpherePoints child_points = sphere_points(HealpixMesh(2 * parents.nside()));
  const std::size_t count = parent_points.size();
  std::vector<float> offsets(count * columns);
  for (std::size_t parent = 0; parent < count; ++parent) {
    for (std::size_t column = 0; column < columns; ++column) {
      offsets[parent * columns + column] =
          child_points.xyz[parent * columns + column] - parent_points.xyz[3 * parent + column % 3];
    }
  }
  for (std::size_t column = 0; column < columns; ++column) {
    double sum = 0.0;
    for (std::size_t parent = 0; parent < count; ++parent) {
      sum += offsets[parent * columns + column];
    }
    const double mean = sum / static_cast<double>(count);
    double squares = 0.0;
    for (std::size_t parent = 0; parent < count; ++parent) {
      squares += std::pow(offsets[parent * columns + column] - mean, 2);
    }
    const double scale = std::sqrt(squares / static_cast<double>(count - 1)) + 1e-6;
    for (std::size_t parent = 0; parent < count; ++parent) {
      float& offset = offsets[parent * columns + column];
      offset = static_cast<float>((offset - mean) / scale);
    }
  }
  return offsets;
}

RopeTables rope_tables(const SpherePoints& points, int head_width) {
  require(head_width > 0 && head_width % 4 == 0, ExitCode::bad_configuration,
          "the head width is {}; rotary embedding in two dimensions needs a positive multiple of 4",
          head_width);
  const int half = head_width / 2;
  RopeTables tables;
  tables.angles = half;
  tables.cosine.reserve(points.size() * static_cast<std::size_t>(half));
  tables.sine.reserve(points.size() * static_cast<std::size_t>(half));
  std::vector<float> frequency;
  for (int j = 0; j < head_width / 4; ++j) {
    frequency.push_back(static_cast<float>(std::pow(10000.0, -2.0 * j / half)));
  }
  for (std::size_t point = 0; point < points.size(); ++point) {
    for (const float coordinate : {points.lon_rad[point], points.lat_rad[point]}) {
      for (const float f : frequency) {
        const float angle = coordinate * f;
        tables.cosine.push_back(std::cos(angle));
        tables.sine.push_back(std::sin(angle));
      }
    }
  }
  return tables;
}

}  // namespace mosaic

#include "world/golden_world.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace mosaic::test {

std::unique_ptr<TensorFile> golden_world(const std::string& path) { return open_tensor_file(path); }

std::vector<double> packed(const TensorView& golden) {
  const std::vector<double> values = golden.to_double();
  const auto orders = static_cast<std::size_t>(golden.shape.at(0));
  const std::size_t columns = golden.shape.size() == 4 ? static_cast<std::size_t>(golden.shape[2]) : 1;
  std::vector<double> spectrum;
  for (std::size_t m = 0; m < orders; ++m) {
    for (std::size_t n = m; n < orders; ++n) {
      for (std::size_t part = 0; part < 2; ++part) {
        for (std::size_t c = 0; c < columns; ++c) {
          spectrum.push_back(values.at(((m * orders + n) * columns + c) * 2 + part));
        }
      }
    }
  }
  return spectrum;
}

std::vector<double> paired(const std::vector<double>& grid, std::size_t latitudes) {
  const std::size_t longitudes = grid.size() / latitudes;
  std::vector<double> values;
  for (std::size_t p = 0; p < (latitudes + 1) / 2; ++p) {
    for (std::size_t l = 0; l < longitudes; ++l) {
      values.push_back(grid.at(p * longitudes + l));
      values.push_back(grid.at((latitudes - 1 - p) * longitudes + l));
    }
  }
  return values;
}

double largest_difference(const std::vector<double>& ours, const std::vector<double>& golden) {
  if (ours.size() != golden.size()) {
    throw std::runtime_error("sizes " + std::to_string(ours.size()) + " and " +
                             std::to_string(golden.size()));
  }
  double largest = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double difference = std::abs(ours[i] - golden[i]);
    largest =
        std::isfinite(difference) ? std::max(largest, difference) : std::numeric_limits<double>::infinity();
  }
  return largest;
}

double relative_difference(const std::vector<double>& ours, const std::vector<double>& golden) {
  double size = 0;
  for (const double value : golden) {
    size = std::max(size, std::abs(value));
  }
  return largest_difference(ours, golden) / size;
}

}  // namespace mosaic::test

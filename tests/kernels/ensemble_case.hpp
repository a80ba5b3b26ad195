#pragma once

#include <algorithm>
#include <vector>

#include "kernels/ensemble_statistics/ensemble_statistics.hpp"
#include "kernels/numbers.hpp"

namespace mosaic::kernels {

/// An ensemble of rows x columns points with its truth and two areas: everything with uneven weights, and
/// every second row of every third column.
struct EnsembleCase {
  std::size_t rows, columns;
  std::vector<std::vector<float>> members;
  std::vector<float> truth;
  std::vector<AreaMask> areas;

  EnsembleCase(std::size_t count, std::size_t rows, std::size_t columns, unsigned seed)
      : rows(rows), columns(columns), truth(normal_numbers<float>(rows * columns, 1000 + seed)), areas(2) {
    for (unsigned m = 0; m < count; ++m) {
      members.push_back(normal_numbers<float>(rows * columns, seed + 7919 * m));
    }
    for (std::size_t j = 0; j < rows; ++j) {
      areas[0].row_weight.push_back(0.25 + 0.01 * static_cast<double>(j));
      areas[1].row_weight.push_back(j % 2 == 0 ? 1.5 : 0.0);
    }
    for (std::size_t i = 0; i < columns; ++i) {
      areas[0].columns.push_back(1);
      areas[1].columns.push_back(i % 3 == 0 ? 1 : 0);
    }
  }

  std::vector<Statistics> run(EnsembleStatisticsBackend backend, int threads = 2) const {
    std::vector<const float*> pointers;
    for (const auto& member : members) {
      pointers.push_back(member.data());
    }
    std::vector<Statistics> means(areas.size());
    ensemble_statistics({pointers, truth.data(), rows, columns, areas, means, threads}, backend);
    return means;
  }
};

}  // namespace mosaic::kernels

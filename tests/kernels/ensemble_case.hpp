#pragma once

#include <algorithm>
#include <memory>
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
  std::vector<float> climatology;
  std::vector<AreaMask> areas;
  MissingValues missing = MissingValues::propagate;

  EnsembleCase(std::size_t count, std::size_t rows, std::size_t columns, unsigned seed)
      : rows(rows),
        columns(columns),
        truth(normal_numbers<float>(rows * columns, 1000 + seed)),
        climatology(normal_numbers<float>(rows * columns, 2000 + seed)),
        areas(4) {
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
    // Two areas with weights of cells, some of them 0.
    auto land = std::make_shared<std::vector<float>>();
    for (std::size_t point = 0; point < rows * columns; ++point) {
      land->push_back(static_cast<float>(point % 4) / 3.0F);
    }
    areas[2] = areas[0];
    areas[3] = areas[1];
    areas[2].cell_weight = land;
    areas[3].cell_weight = land;
  }

  /// `ranks` and `maps`, if given, get the rank counts and the statistics at points.
  std::vector<Statistics> run(EnsembleStatisticsBackend backend, int threads = 2,
                              std::vector<double>* ranks = nullptr,
                              std::vector<double>* maps = nullptr) const {
    std::vector<const float*> pointers;
    for (const auto& member : members) {
      pointers.push_back(member.data());
    }
    std::vector<Statistics> means(areas.size());
    if (ranks != nullptr) {
      ranks->assign(rank_count_kinds * (members.size() + 1), -1.0);
    }
    if (maps != nullptr) {
      maps->assign(map_statistic_count * truth.size(), -1.0);
    }
    ensemble_statistics({.members = pointers,
                         .truth = truth.data(),
                         .latitudes = rows,
                         .longitudes = columns,
                         .areas = areas,
                         .means = means,
                         .threads = threads,
                         .climatology = climatology.data(),
                         .missing = missing,
                         .energy = true,
                         .ranks = ranks == nullptr ? std::span<double>() : std::span(*ranks),
                         .maps = maps == nullptr ? std::span<double>() : std::span(*maps)},
                        backend);
    return means;
  }
};

}  // namespace mosaic::kernels

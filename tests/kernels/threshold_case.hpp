#pragma once

#include <vector>

#include "kernels/ensemble_case.hpp"
#include "kernels/threshold_statistics/threshold_statistics.hpp"

namespace mosaic::kernels {

/// An ensemble with thresholds at each point, some of which are tied with a member or the truth.
struct ThresholdCase : EnsembleCase {
  std::vector<double> thresholds;  // [Q, J, I]

  ThresholdCase(std::size_t count, std::size_t rows, std::size_t columns, std::size_t threshold_count,
                unsigned seed)
      : EnsembleCase(count, rows, columns, seed),
        thresholds(normal_numbers<double>(threshold_count * rows * columns, 3000 + seed)) {
    for (std::size_t k = 0; k < thresholds.size(); k += 5) {
      thresholds[k] = k % 2 == 0 ? members[0][k % truth.size()] : truth[k % truth.size()];
    }
  }

  std::size_t threshold_count() const { return thresholds.size() / truth.size(); }

  /// `reliability`, if given, gets the counts.
  std::vector<ThresholdScores> run(ThresholdStatisticsBackend backend, int threads = 2,
                                   std::vector<double>* reliability = nullptr) const {
    std::vector<const float*> pointers;
    for (const auto& member : members) {
      pointers.push_back(member.data());
    }
    std::vector<ThresholdScores> means(areas.size() * threshold_count());
    if (reliability != nullptr) {
      reliability->assign(threshold_count() * (members.size() + 1) * 2, -1.0);
    }
    threshold_statistics({.members = pointers,
                          .truth = truth.data(),
                          .thresholds = thresholds,
                          .latitudes = rows,
                          .longitudes = columns,
                          .areas = areas,
                          .means = means,
                          .threads = threads,
                          .missing = missing,
                          .row_weight = areas[0].row_weight,
                          .reliability = reliability == nullptr ? std::span<double>() : *reliability},
                         backend);
    return means;
  }
};

}  // namespace mosaic::kernels

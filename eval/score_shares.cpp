#include "eval/score_shares.hpp"

#include <algorithm>
#include <numeric>

#include "base/error.hpp"

namespace mosaic::eval {
namespace {

bool has(const ChannelSet& channels, const Channel& channel) {
  return std::find(channels.begin(), channels.end(), channel) != channels.end();
}

/// Channels in turn, then spectra in turn (with both components of a wind): neither kind gathers on one part.
ScoreOptions share_of(const ScoreOptions& all, std::size_t part, std::size_t parts) {
  ScoreOptions share = all;
  share.channels.clear();
  share.spectra_channels.clear();
  share.thresholds.channels.clear();
  share.maps.channels.clear();
  share.seeps.channels.clear();
  std::size_t turn = 0;
  for (const Channel& channel : all.channels) {
    if (turn++ % parts == part) {
      share.channels.push_back(channel);
      if (has(all.seeps.channels, channel)) {
        share.seeps.channels.push_back(channel);
      }
      if (has(all.maps.channels, channel)) {
        share.maps.channels.push_back(channel);
      }
      if (has(all.thresholds.channels, channel)) {
        share.thresholds.channels.push_back(channel);
      }
    }
  }
  for (const SpectrumQuantity& quantity : spectrum_quantities(all.spectra_channels)) {
    if (turn++ % parts == part) {
      for (const std::size_t channel : quantity.channels) {
        share.spectra_channels.push_back(all.spectra_channels[channel]);
      }
    }
  }
  return share;
}

template <class Items, class Same>
std::size_t position(const Items& items, const Same& same) {
  const auto found = std::find_if(items.begin(), items.end(), same);
  require(found != items.end(), "a share of the scores has something that the whole has not");
  return static_cast<std::size_t>(found - items.begin());
}

/// Copies the means and ranks of `part` to their places in `whole`.
void insert_means(const InitTimeSums& part, InitTimeSums& whole) {
  const std::size_t regions = whole.regions.size();
  for (std::size_t c = 0; c < part.channels.size(); ++c) {
    const std::size_t to =
        position(whole.channels, [&](const Channel& channel) { return channel == part.channels[c]; });
    for (std::size_t lead = 0; lead < whole.leads.size(); ++lead) {
      const std::size_t place = lead * whole.channels.size() + to;
      for (std::size_t r = 0; r < regions; ++r) {
        whole.means[place * regions + r] = part.mean(lead, c, r);
      }
      const std::size_t from = (lead * part.channels.size() + c) * part.rank_numbers();
      std::copy_n(&part.ranks[from], part.rank_numbers(), &whole.ranks[place * whole.rank_numbers()]);
    }
  }
}

void insert_spectra(const InitTimeSums& part, InitTimeSums& whole) {
  const std::size_t values = whole.bands.size() * whole.wavenumbers;
  for (std::size_t q = 0; q < part.quantities.size(); ++q) {
    const std::size_t to = position(whole.quantities, [&](const SpectrumQuantity& quantity) {
      return quantity.variable == part.quantities[q].variable && quantity.level == part.quantities[q].level;
    });
    for (std::size_t kind = 0; kind < spectrum_kind_names.size(); ++kind) {
      for (std::size_t lead = 0; lead < whole.leads.size(); ++lead) {
        const auto from = part.spectrum_offset(static_cast<SpectrumKind>(kind), lead, q, 0);
        std::copy_n(&part.spectra[from], values,
                    &whole.spectra[whole.spectrum_offset(static_cast<SpectrumKind>(kind), lead, to, 0)]);
      }
    }
  }
}

void insert_degree_spectra(const InitTimeSums& part, InitTimeSums& whole) {
  const SpectraByDegree& from = part.by_degree;
  for (std::size_t q = 0; q < from.quantities.size(); ++q) {
    const std::size_t to = position(whole.by_degree.quantities, [&](const SpectrumQuantity& quantity) {
      return quantity.variable == from.quantities[q].variable && quantity.level == from.quantities[q].level;
    });
    for (std::size_t kind = 0; kind < spectrum_kind_names.size(); ++kind) {
      for (std::size_t lead = 0; lead < whole.leads.size(); ++lead) {
        std::copy_n(&from.values[part.degree_offset(static_cast<SpectrumKind>(kind), lead, q)], from.degrees,
                    &whole.by_degree.values[whole.degree_offset(static_cast<SpectrumKind>(kind), lead, to)]);
      }
    }
  }
}

void insert_thresholds(const InitTimeSums& part, InitTimeSums& whole) {
  const ThresholdSums& from = part.thresholds;
  ThresholdSums& to = whole.thresholds;
  const std::size_t means = whole.regions.size() * to.quantiles.size();
  for (std::size_t c = 0; c < from.channels.size(); ++c) {
    const std::size_t place =
        position(to.channels, [&](const Channel& channel) { return channel == from.channels[c]; });
    for (std::size_t lead = 0; lead < whole.leads.size(); ++lead) {
      std::copy_n(&from.means[from.mean_offset(lead, c, 0, whole.regions.size())], means,
                  &to.means[to.mean_offset(lead, place, 0, whole.regions.size())]);
      std::copy_n(&from.reliability[from.reliability_offset(lead, c, whole.members)],
                  to.reliability_numbers(whole.members),
                  &to.reliability[to.reliability_offset(lead, place, whole.members)]);
    }
  }
}

void insert_maps(const MapSums& part, MapSums& whole) {
  const std::size_t values = kernels::map_statistic_count * whole.points();
  for (std::size_t c = 0; c < part.channels.size(); ++c) {
    const std::size_t place =
        position(whole.channels, [&](const Channel& channel) { return channel == part.channels[c]; });
    for (std::size_t lead = 0; lead < whole.leads.size(); ++lead) {
      std::copy_n(&part.values[part.offset(lead, c)], values, &whole.values[whole.offset(lead, place)]);
    }
  }
}

void insert_seeps(const InitTimeSums& part, InitTimeSums& whole) {
  const std::size_t regions = whole.regions.size();
  for (std::size_t c = 0; c < part.seeps.channels.size(); ++c) {
    const std::size_t place = position(
        whole.seeps.channels, [&](const Channel& channel) { return channel == part.seeps.channels[c]; });
    for (std::size_t lead = 0; lead < whole.leads.size(); ++lead) {
      std::copy_n(&part.seeps.means[part.seeps.offset(lead, c, regions)], regions,
                  &whole.seeps.means[whole.seeps.offset(lead, place, regions)]);
    }
  }
}

/// Inverse of ScoreShares::numbers_of(), given the axes.
void set_numbers(InitTimeSums& sums, const std::vector<double>& numbers) {
  const auto arrays = sums.arrays();
  const std::size_t expected =
      std::accumulate(arrays.begin(), arrays.end(), sums.scored.size(),
                      [](std::size_t total, const auto& array) { return total + array.size(); });
  require(numbers.size() == expected, "{} numbers of a share of the scores, expected {}", numbers.size(),
          expected);
  auto next = numbers.begin();
  for (std::uint8_t& scored : sums.scored) {
    scored = *next++ != 0 ? 1 : 0;
  }
  for (const std::span<double> array : arrays) {
    std::copy_n(next, array.size(), array.begin());
    next += static_cast<std::ptrdiff_t>(array.size());
  }
}

}  // namespace

ScoreShares::ScoreShares(const ScoreOptions& all, const LatLonGrid& grid, int members, std::size_t parts)
    : empty_(empty_sums(all, grid, members)) {
  require(parts > 0, "scores are divided among no parts");
  for (std::size_t part = 0; part < parts; ++part) {
    shares_.push_back(share_of(all, part, parts));
    axes_.push_back(empty_sums(shares_.back(), grid, members));
  }
}

std::vector<double> ScoreShares::numbers_of(const InitTimeSums& sums) {
  std::vector<double> numbers(sums.scored.begin(), sums.scored.end());
  for (const std::span<const double> array : sums.arrays()) {
    numbers.insert(numbers.end(), array.begin(), array.end());
  }
  return numbers;
}

InitTimeSums ScoreShares::join(Time initial_time, const std::vector<std::vector<double>>& numbers) const {
  require(numbers.size() == parts(), "{} shares of the scores, expected {}", numbers.size(), parts());
  InitTimeSums whole = empty_;
  whole.initial_time = initial_time;
  for (std::size_t part = 0; part < parts(); ++part) {
    InitTimeSums sums = axes_[part];
    set_numbers(sums, numbers[part]);
    whole.scored = part == 0 ? sums.scored : whole.scored;
    insert_means(sums, whole);
    insert_spectra(sums, whole);
    insert_degree_spectra(sums, whole);
    insert_thresholds(sums, whole);
    insert_maps(sums.maps, whole.maps);
    insert_seeps(sums, whole);
  }
  return whole;
}

}  // namespace mosaic::eval

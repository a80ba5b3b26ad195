#include "eval/time_mean.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include "base/error.hpp"

namespace mosaic::eval {
namespace {

using kernels::MissingValues;
using kernels::Statistic;
using kernels::Statistics;

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

struct WindVector {
  Channel channel;
  std::size_t u, v;  ///< into the channels
};

std::vector<WindVector> wind_vectors(const ChannelSet& channels) {
  static const std::array<std::array<std::string, 3>, 2> kinds = {
      {{"u_component_of_wind", "v_component_of_wind", "wind_vector"},
       {"10m_u_component_of_wind", "10m_v_component_of_wind", "10m_wind_vector"}}};
  std::vector<WindVector> found;
  for (std::size_t u = 0; u < channels.size(); ++u) {
    for (const auto& [u_name, v_name, vector_name] : kinds) {
      const Channel v{v_name, channels[u].level};
      const auto place = std::find(channels.begin(), channels.end(), v);
      if (channels[u].variable == u_name && place != channels.end()) {
        found.push_back(
            {{vector_name, channels[u].level}, u, static_cast<std::size_t>(place - channels.begin())});
      }
    }
  }
  return found;
}

Statistics vector_statistics(const Statistics& u, const Statistics& v) {
  Statistics result;
  result.fill(undefined);
  for (const Statistic which : {Statistic::squared_error, Statistic::ensemble_mean_squared_error}) {
    at(result, which) = at(u, which) + at(v, which);
  }
  // Where a component is missing the vector is: the smaller part stands for both.
  at(result, Statistic::error_weight) =
      std::min(at(u, Statistic::error_weight), at(v, Statistic::error_weight));
  return result;
}

InitTimeSums with_wind_vectors(const InitTimeSums& sums) {
  const std::vector<WindVector> vectors = wind_vectors(sums.channels);
  InitTimeSums all = sums;
  for (const WindVector& vector : vectors) {
    all.channels.push_back(vector.channel);
  }
  all.means.clear();
  all.ranks.clear();
  const std::size_t ranks = sums.channels.size() * sums.rank_numbers();
  for (std::size_t lead = 0; lead < sums.leads.size(); ++lead) {
    const auto first =
        sums.means.begin() + static_cast<std::ptrdiff_t>(lead * sums.channels.size() * sums.regions.size());
    all.means.insert(all.means.end(), first,
                     first + static_cast<std::ptrdiff_t>(sums.channels.size() * sums.regions.size()));
    for (const WindVector& vector : vectors) {
      for (std::size_t r = 0; r < sums.regions.size(); ++r) {
        all.means.push_back(vector_statistics(sums.mean(lead, vector.u, r), sums.mean(lead, vector.v, r)));
      }
    }
    all.ranks.insert(all.ranks.end(), sums.ranks.begin() + static_cast<std::ptrdiff_t>(lead * ranks),
                     sums.ranks.begin() + static_cast<std::ptrdiff_t>((lead + 1) * ranks));
    all.ranks.resize(all.ranks.size() + vectors.size() * sums.rank_numbers(), undefined);
  }
  return all;
}

/// A mean that is being formed.
struct Mean {
  double total = 0;
  double weight = 0;

  void add(double value, double of_value, MissingValues missing) {
    if (missing == MissingValues::propagate || !std::isnan(value)) {
      total += of_value * value;
      weight += of_value;
    }
  }
  double value() const { return total / weight; }  // 0 / 0 for nothing: NaN
};

/// The means of one lead, channel and region.
struct CellMean {
  std::array<Mean, kernels::statistic_count> statistics;
  std::array<Mean, 4> scores;

  void add(const Statistics& values, const ScoreOptions& options) {
    for (std::size_t s = 0; s < values.size(); ++s) {
      const auto which = static_cast<Statistic>(s);
      const bool of_ensemble = which == Statistic::spread || which == Statistic::variance;
      const double valid = at(values, of_ensemble ? Statistic::ensemble_weight : Statistic::error_weight);
      statistics[s].add(values[s], options.time_mean == TimeMeanKind::pooled ? valid : 1.0, options.missing);
    }
    const InitTimeScores one = init_time_scores(values);
    scores[0].add(one.root_squared_error, 1.0, options.missing);
    scores[1].add(one.root_ensemble_mean_squared_error, 1.0, options.missing);
    scores[2].add(one.root_variance, 1.0, options.missing);
    scores[3].add(one.anomaly_correlation, 1.0, options.missing);
  }

  InitTimeScores mean_scores() const {
    return {scores[0].value(), scores[1].value(), scores[2].value(), scores[3].value()};
  }
};

std::vector<const InitTimeSums*> ascending(const std::vector<InitTimeSums>& sums) {
  std::vector<const InitTimeSums*> sorted;
  for (const InitTimeSums& one : sums) {
    require_same_axes(sums[0], one);
    sorted.push_back(&one);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->initial_time < b->initial_time; });
  for (std::size_t t = 1; t < sorted.size(); ++t) {
    require(sorted[t - 1]->initial_time != sorted[t]->initial_time, ExitCode::corrupt_input,
            "initial time {} occurs twice among the sums", to_string(sorted[t]->initial_time));
  }
  return sorted;
}

/// The means of one lead, channel, region and quantile.
struct ThresholdMean {
  std::array<Mean, kernels::threshold_score_count> scores;

  void add(const kernels::ThresholdScores& values, const ScoreOptions& options) {
    const double valid = at(values, kernels::ThresholdScore::weight);
    for (std::size_t s = 0; s < values.size(); ++s) {
      scores[s].add(values[s], options.time_mean == TimeMeanKind::pooled ? valid : 1.0, options.missing);
    }
  }
};

void add_reliability(TimeMean& total, const InitTimeSums& sums, std::size_t lead) {
  const std::size_t end = sums.thresholds.reliability_offset(lead + 1, 0, sums.members);
  for (std::size_t k = sums.thresholds.reliability_offset(lead, 0, sums.members); k < end; ++k) {
    total.mean.thresholds.reliability[k] += sums.thresholds.reliability[k];
  }
}

void add_spectra(TimeMean& total, const InitTimeSums& sums, std::size_t lead) {
  const std::size_t waves = sums.quantities.size() * sums.bands.size() * sums.wavenumbers;
  for (std::size_t kind = 0; kind < spectrum_kind_names.size(); ++kind) {
    const std::size_t begin = (kind * sums.leads.size() + lead) * waves;
    for (std::size_t i = begin; i < begin + waves; ++i) {
      total.mean.spectra[i] += sums.spectra[i];
    }
  }
}

void add_degree_spectra(TimeMean& total, const InitTimeSums& sums, std::size_t lead) {
  const std::size_t numbers = sums.by_degree.quantities.size() * sums.by_degree.degrees;
  for (std::size_t kind = 0; kind < spectrum_kind_names.size(); ++kind) {
    const std::size_t begin = (kind * sums.leads.size() + lead) * numbers;
    for (std::size_t i = begin; i < begin + numbers; ++i) {
      total.mean.by_degree.values[i] += sums.by_degree.values[i];
    }
  }
}

void divide_spectra(TimeMean& total) {
  const std::size_t waves = total.mean.quantities.size() * total.mean.bands.size() * total.mean.wavenumbers;
  for (std::size_t i = 0; i < total.mean.spectra.size(); ++i) {
    total.mean.spectra[i] /= static_cast<double>(total.counts[i / waves % total.counts.size()]);
  }
  const std::size_t numbers = total.mean.by_degree.quantities.size() * total.mean.by_degree.degrees;
  for (std::size_t i = 0; i < total.mean.by_degree.values.size(); ++i) {
    total.mean.by_degree.values[i] /= static_cast<double>(total.counts[i / numbers % total.counts.size()]);
  }
}

void add_ranks(TimeMean& total, const InitTimeSums& sums, std::size_t lead) {
  const std::size_t numbers = sums.channels.size() * sums.rank_numbers();
  for (std::size_t i = lead * numbers; i < (lead + 1) * numbers; ++i) {
    total.mean.ranks[i] += sums.ranks[i];
  }
}

using SeepsMean = std::array<Mean, std::tuple_size_v<SeepsMeans>>;

/// The means that are being formed, beside the totals in TimeMean.
class Averages {
 public:
  Averages(const InitTimeSums& first, const ScoreOptions& options, std::size_t initial_times)
      : options_(options), total_{with_wind_vectors(first), {}, {}, initial_times} {
    InitTimeSums& mean = total_.mean;
    total_.counts.assign(mean.leads.size(), 0);
    for (std::vector<double>* sums :
         {&mean.spectra, &mean.by_degree.values, &mean.ranks, &mean.thresholds.reliability}) {
      std::fill(sums->begin(), sums->end(), 0.0);
    }
    cells_.resize(mean.means.size());
    thresholds_.resize(mean.thresholds.means.size());
    seeps_.resize(mean.seeps.means.size());
  }

  /// `sums`: with wind vectors.
  void add(const InitTimeSums& sums, std::size_t lead) {
    const std::size_t leads = sums.leads.size();
    for_each_of(lead, leads, cells_, [&](std::size_t k) { cells_[k].add(sums.means[k], options_); });
    for_each_of(lead, leads, thresholds_,
                [&](std::size_t k) { thresholds_[k].add(sums.thresholds.means[k], options_); });
    for_each_of(lead, leads, seeps_, [&](std::size_t k) {
      for (std::size_t which = 0; which < seeps_[k].size(); ++which) {
        seeps_[k][which].add(sums.seeps.means[k][which], 1.0, options_.missing);
      }
    });
    add_spectra(total_, sums, lead);
    add_degree_spectra(total_, sums, lead);
    add_ranks(total_, sums, lead);
    add_reliability(total_, sums, lead);
    ++total_.counts[lead];
  }

  TimeMean finish() {
    const auto value = [](const Mean& mean) { return mean.value(); };
    for (std::size_t k = 0; k < cells_.size(); ++k) {
      std::transform(cells_[k].statistics.begin(), cells_[k].statistics.end(), total_.mean.means[k].begin(),
                     value);
      total_.scores.push_back(cells_[k].mean_scores());
    }
    for (std::size_t k = 0; k < thresholds_.size(); ++k) {
      std::transform(thresholds_[k].scores.begin(), thresholds_[k].scores.end(),
                     total_.mean.thresholds.means[k].begin(), value);
    }
    for (std::size_t k = 0; k < seeps_.size(); ++k) {
      std::transform(seeps_[k].begin(), seeps_[k].end(), total_.mean.seeps.means[k].begin(), value);
    }
    divide_spectra(total_);
    return std::move(total_);
  }

 private:
  /// Calls use(place) for the part of a lead; leads are the slowest axis.
  template <class Items, class Use>
  static void for_each_of(std::size_t lead, std::size_t leads, const Items& items, const Use& use) {
    const std::size_t part = items.size() / leads;
    for (std::size_t k = lead * part; k < (lead + 1) * part; ++k) {
      use(k);
    }
  }

  const ScoreOptions& options_;
  TimeMean total_;
  std::vector<CellMean> cells_;            // as InitTimeSums::means
  std::vector<ThresholdMean> thresholds_;  // as ThresholdSums::means
  std::vector<SeepsMean> seeps_;           // as SeepsSums::means
};

}  // namespace

TimeMeans TimeMean::at(std::size_t lead, std::size_t channel, std::size_t region) const {
  const std::size_t place = (lead * mean.channels.size() + channel) * mean.regions.size() + region;
  TimeMeans means{.statistics = mean.means[place], .scores = scores[place]};
  const ChannelSet& wet = mean.seeps.channels;
  const auto rain = std::find(wet.begin(), wet.end(), mean.channels[channel]);
  if (rain != wet.end()) {
    const auto which = static_cast<std::size_t>(rain - wet.begin());
    means.seeps = mean.seeps.means[mean.seeps.offset(lead, which, mean.regions.size()) + region];
  }
  const ThresholdSums& thresholds = mean.thresholds;
  const auto found =
      std::find(thresholds.channels.begin(), thresholds.channels.end(), mean.channels[channel]);
  if (found != thresholds.channels.end()) {
    const auto which = static_cast<std::size_t>(found - thresholds.channels.begin());
    const auto* of_quantiles =
        &thresholds.means[thresholds.mean_offset(lead, which, region, mean.regions.size())];
    means.ranked_probability = 0.0;
    for (std::size_t q = 0; q < thresholds.quantiles.size(); ++q) {
      means.ranked_probability += kernels::at(of_quantiles[q], kernels::ThresholdScore::ranked_probability);
    }
  }
  return means;
}

TimeMean time_mean(const std::vector<InitTimeSums>& sums, const ScoreOptions& options) {
  require(!sums.empty(), ExitCode::corrupt_input, "there are no sums to average");
  require(sums[0].leads == options.leads && sums[0].channels == options.channels, ExitCode::corrupt_input,
          "the sums belong to other lead times or channels than the options");
  Averages averages(sums[0], options, sums.size());
  for (const InitTimeSums* one : ascending(sums)) {
    const InitTimeSums all = with_wind_vectors(*one);
    for (std::size_t lead = 0; lead < options.leads.size(); ++lead) {
      if (all.scored[lead] != 0) {
        averages.add(all, lead);
      }
    }
  }
  return averages.finish();
}

}  // namespace mosaic::eval

#include "eval/scores.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.hpp"

namespace mosaic::eval {
namespace {

using kernels::Statistic;
using kernels::Statistics;

/// A score of one statistic f.
class StatisticScore : public Score {
 public:
  StatisticScore(std::string name, Statistic statistic, std::string definition)
      : name_(std::move(name)), statistic_(statistic), definition_(std::move(definition)) {}
  std::string name() const override { return name_; }
  std::string definition() const override { return definition_; }

 protected:
  double area_mean(const TimeMeans& means) const { return at(means.statistics, statistic_); }

 private:
  std::string name_;
  Statistic statistic_;
  std::string definition_;
};

/// T[A[f]]: mse, mae, bias, crps_skill, ..., and the parts of the energy score.
class AreaMeanScore final : public StatisticScore {
 public:
  using StatisticScore::StatisticScore;
  double value(const TimeMeans& means, int) const override { return area_mean(means); }
};

/// sqrt(T[A[f]]): rmse, ensemble_mean_rmse, ensemble_stddev.
class RootMeanScore final : public StatisticScore {
 public:
  using StatisticScore::StatisticScore;
  double value(const TimeMeans& means, int) const override { return std::sqrt(area_mean(means)); }
};

/// Fair continuous ranked probability score: skill - spread / 2, the spread without a member's distance to
/// itself. With M = 1 the mean absolute error.
class FairCrps final : public Score {
 public:
  std::string name() const override { return "crps"; }
  std::string definition() const override {
    return "fair CRPS: crps_skill - crps_spread / 2, mean over initial times";
  }
  double value(const TimeMeans& means, int) const override {
    return at(means.statistics, Statistic::absolute_error) - 0.5 * at(means.statistics, Statistic::spread);
  }
};

/// The mean over initial times of something that is not linear.
class InitTimeScore final : public Score {
 public:
  InitTimeScore(std::string name, double InitTimeScores::*part, std::string definition,
                bool needs_climatology = false)
      : name_(std::move(name)),
        part_(part),
        definition_(std::move(definition)),
        needs_climatology_(needs_climatology) {}
  std::string name() const override { return name_; }
  std::string definition() const override { return definition_; }
  double value(const TimeMeans& means, int) const override { return means.scores.*part_; }
  bool needs_climatology() const override { return needs_climatology_; }

 private:
  std::string name_;
  double InitTimeScores::*part_;
  std::string definition_;
  bool needs_climatology_;
};

/// T[A[(X - c)(y - c)]] / sqrt(T[A[(X - c)^2]] T[A[(y - c)^2]]): WeatherBench-X.
class PooledAnomalyCorrelation final : public Score {
 public:
  std::string name() const override { return "acc_pooled"; }
  std::string definition() const override {
    return "anomaly correlation of the sums over all initial times (WeatherBench-X)";
  }
  double value(const TimeMeans& means, int) const override {
    return init_time_scores(means.statistics).anomaly_correlation;
  }
  bool needs_climatology() const override { return true; }
};

/// energy_score_skill - energy_score_spread / 2: norms are sqrt(A[.^2]) of whole fields, the spread over
/// members next to each other in their order, as WeatherBench 2 has it.
class EnergyScore final : public Score {
 public:
  std::string name() const override { return "energy_score"; }
  std::string definition() const override { return "energy_score_skill - energy_score_spread / 2"; }
  double value(const TimeMeans& means, int) const override {
    return at(means.statistics, Statistic::energy_skill) -
           0.5 * at(means.statistics, Statistic::energy_spread);
  }
};

/// sum_k T[A[(F_k - 1{y < q_k})^2]], F_k the part of the members below the quantile q_k: WeatherBench 2.
class RankedProbabilityScore final : public Score {
 public:
  std::string name() const override { return "rps"; }
  std::string definition() const override {
    return "ranked probability score: sum over the climatological quantiles q of (F(q) - 1{y < q})^2, F = "
           "part "
           "of the members below q";
  }
  double value(const TimeMeans& means, int) const override { return means.ranked_probability; }
  bool needs_thresholds() const override { return true; }
};

/// Stable Equitable Error in Probability Space, of the members or of their mean (kernels/seeps/seeps.hpp).
class SeepsScore final : public Score {
 public:
  SeepsScore(std::string name, std::size_t which, std::string definition)
      : name_(std::move(name)), which_(which), definition_(std::move(definition)) {}
  std::string name() const override { return name_; }
  std::string definition() const override { return definition_; }
  double value(const TimeMeans& means, int) const override { return means.seeps[which_]; }
  bool needs_seeps() const override { return true; }

 private:
  std::string name_;
  std::size_t which_;
  std::string definition_;
};

/// sqrt(T[A[s^2]] / T[A[(y - X)^2]]): tends to sqrt(M / (M + 1)) for a reliable ensemble.
class RawSpreadSkillRatio final : public Score {
 public:
  std::string name() const override { return "spread_skill_raw"; }
  std::string definition() const override { return "ensemble_stddev / ensemble_mean_rmse"; }
  double value(const TimeMeans& means, int) const override {
    return std::sqrt(at(means.statistics, Statistic::variance)) /
           std::sqrt(at(means.statistics, Statistic::ensemble_mean_squared_error));
  }
};

/// Raw ratio times sqrt((M + 1) / M): tends to 1 for a reliable ensemble (Fortin et al. 2014).
class FortinSpreadSkillRatio final : public Score {
 public:
  std::string name() const override { return "spread_skill_fortin"; }
  std::string definition() const override {
    return "sqrt((M + 1) / M) * ensemble_stddev / ensemble_mean_rmse";
  }
  double value(const TimeMeans& means, int members) const override {
    return raw_.value(means, members) * std::sqrt((members + 1.0) / members);
  }

 private:
  RawSpreadSkillRatio raw_;
};

/// sqrt(T[A[s^2]] / T[A[(y - X)^2 - s^2 / M]]): WeatherBench-X. NaN where the debiased error is negative.
class UnbiasedSpreadSkillRatio final : public Score {
 public:
  std::string name() const override { return "spread_skill_unbiased"; }
  std::string definition() const override {
    return "sqrt(ensemble_variance / debiased_ensemble_mean_mse); NaN where the latter is negative";
  }
  double value(const TimeMeans& means, int) const override {
    return std::sqrt(at(means.statistics, Statistic::variance) /
                     at(means.statistics, Statistic::debiased_squared_error));
  }
};

std::vector<std::unique_ptr<const Score>> make_scores() {
  std::vector<std::unique_ptr<const Score>> scores;
  const auto area_mean = [&](const char* name, Statistic statistic, const char* definition) {
    scores.push_back(std::make_unique<AreaMeanScore>(name, statistic, definition));
  };
  const auto root_mean = [&](const char* name, Statistic statistic, const char* definition) {
    scores.push_back(std::make_unique<RootMeanScore>(name, statistic, definition));
  };
  area_mean("mse", Statistic::squared_error, "area mean of mean over members of (x - y)^2");
  area_mean("mae", Statistic::absolute_error, "area mean of mean over members of |x - y|");
  area_mean("bias", Statistic::error, "area mean of mean over members of x - y (forecast minus truth)");
  area_mean("crps_skill", Statistic::absolute_error, "area mean of mean over members of |x - y|");
  area_mean("crps_spread", Statistic::spread, "area mean of mean |x_m - x_n| over pairs m != n; 0 for M = 1");
  area_mean("ensemble_mean_mse", Statistic::ensemble_mean_squared_error, "area mean of (y - mean(x))^2");
  area_mean("ensemble_variance", Statistic::variance,
            "area mean of variance over members, ddof 1; 0 for M = 1");
  root_mean("rmse", Statistic::squared_error, "sqrt(mse), after the mean over initial times");
  root_mean("ensemble_mean_rmse", Statistic::ensemble_mean_squared_error,
            "sqrt(ensemble_mean_mse), after the mean over initial times");
  root_mean("ensemble_stddev", Statistic::variance,
            "sqrt(ensemble_variance), after the mean over initial times");
  area_mean("debiased_ensemble_mean_mse", Statistic::debiased_squared_error,
            "area mean of (y - mean(x))^2 - variance / M; NaN for one member");
  area_mean("energy_score_skill", Statistic::energy_skill, "mean over members of sqrt(area mean (x - y)^2)");
  area_mean("energy_score_spread", Statistic::energy_spread,
            "mean of sqrt(area mean (x_m - x_n)^2) over members next to each other in their order");
  const auto before = [&](const char* name, double InitTimeScores::*part, const char* definition,
                          bool needs_climatology = false) {
    scores.push_back(std::make_unique<InitTimeScore>(name, part, definition, needs_climatology));
  };
  before("rmse_sqrt_before_time_avg", &InitTimeScores::root_squared_error,
         "mean over initial times of sqrt(area mean (x - y)^2)");
  before("ensemble_mean_rmse_sqrt_before_time_avg", &InitTimeScores::root_ensemble_mean_squared_error,
         "mean over initial times of sqrt(area mean (y - mean(x))^2)");
  before("ensemble_stddev_sqrt_before_time_avg", &InitTimeScores::root_variance,
         "mean over initial times of sqrt(area mean of the variance over members)");
  before("acc", &InitTimeScores::anomaly_correlation,
         "mean over initial times of the anomaly correlation of the ensemble mean, anomalies not re-centred",
         true);
  scores.push_back(std::make_unique<PooledAnomalyCorrelation>());
  scores.push_back(std::make_unique<EnergyScore>());
  scores.push_back(std::make_unique<FairCrps>());
  scores.push_back(std::make_unique<RankedProbabilityScore>());
  scores.push_back(std::make_unique<SeepsScore>(
      "seeps", 0,
      "SEEPS of precipitation over cells with dry fractions 0.1 ... 0.85, mean over the members"));
  scores.push_back(std::make_unique<SeepsScore>("ensemble_mean_seeps", 1, "SEEPS of the ensemble mean"));
  scores.push_back(std::make_unique<RawSpreadSkillRatio>());
  scores.push_back(std::make_unique<FortinSpreadSkillRatio>());
  scores.push_back(std::make_unique<UnbiasedSpreadSkillRatio>());
  std::sort(scores.begin(), scores.end(), [](const auto& a, const auto& b) { return a->name() < b->name(); });
  return scores;
}

}  // namespace

InitTimeScores init_time_scores(const Statistics& statistics) {
  const auto root = [&](Statistic which) { return std::sqrt(at(statistics, which)); };
  return {.root_squared_error = root(Statistic::squared_error),
          .root_ensemble_mean_squared_error = root(Statistic::ensemble_mean_squared_error),
          .root_variance = root(Statistic::variance),
          .anomaly_correlation = at(statistics, Statistic::anomaly_product) /
                                 std::sqrt(at(statistics, Statistic::forecast_anomaly_squared) *
                                           at(statistics, Statistic::truth_anomaly_squared))};
}

TimeMeans time_means_of_one(const Statistics& statistics) {
  return {.statistics = statistics, .scores = init_time_scores(statistics)};
}

const std::vector<std::unique_ptr<const Score>>& all_scores() {
  static const std::vector<std::unique_ptr<const Score>> scores = make_scores();
  return scores;
}

const Score& score_by_name(const std::string& name) {
  for (const auto& score : all_scores()) {
    if (score->name() == name) {
      return *score;
    }
  }
  fail(ExitCode::internal, "there is no score named {}", name);
}

}  // namespace mosaic::eval

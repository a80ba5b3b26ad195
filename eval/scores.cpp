#include "eval/scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
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
  double area_mean(const Statistics& means) const { return at(means, statistic_); }

 private:
  std::string name_;
  Statistic statistic_;
  std::string definition_;
};

/// T[A[f]]: mse, mae, bias, crps_skill, crps_spread, ensemble_mean_mse, ensemble_variance.
class AreaMeanScore final : public StatisticScore {
 public:
  using StatisticScore::StatisticScore;
  double value(const Statistics& means, int) const override { return area_mean(means); }
};

/// sqrt(T[A[f]]): rmse, ensemble_mean_rmse, ensemble_stddev.
class RootMeanScore final : public StatisticScore {
 public:
  using StatisticScore::StatisticScore;
  double value(const Statistics& means, int) const override { return std::sqrt(area_mean(means)); }
};

/// Fair continuous ranked probability score: skill - spread / 2, the spread without a member's distance to
/// itself. With M = 1 the mean absolute error.
class FairCrps final : public Score {
 public:
  std::string name() const override { return "crps"; }
  std::string definition() const override {
    return "fair CRPS: crps_skill - crps_spread / 2, mean over initial times";
  }
  double value(const Statistics& means, int) const override {
    return at(means, Statistic::absolute_error) - 0.5 * at(means, Statistic::spread);
  }
};

/// T[A[(y - X)^2 - s^2 / M]]: the squared error of a mean of infinitely many members. May be negative; not
/// defined for M = 1.
class DebiasedEnsembleMeanMse final : public Score {
 public:
  std::string name() const override { return "debiased_ensemble_mean_mse"; }
  std::string definition() const override {
    return "ensemble_mean_mse - ensemble_variance / M; NaN for one member";
  }
  double value(const Statistics& means, int members) const override {
    if (members == 1) {
      return std::numeric_limits<double>::quiet_NaN();
    }
    return at(means, Statistic::ensemble_mean_squared_error) - at(means, Statistic::variance) / members;
  }
};

/// sqrt(T[A[s^2]] / T[A[(y - X)^2]]): tends to sqrt(M / (M + 1)) for a reliable ensemble.
class RawSpreadSkillRatio final : public Score {
 public:
  std::string name() const override { return "spread_skill_raw"; }
  std::string definition() const override { return "ensemble_stddev / ensemble_mean_rmse"; }
  double value(const Statistics& means, int) const override {
    return std::sqrt(at(means, Statistic::variance)) /
           std::sqrt(at(means, Statistic::ensemble_mean_squared_error));
  }
};

/// Raw ratio times sqrt((M + 1) / M): tends to 1 for a reliable ensemble (Fortin et al. 2014).
class FortinSpreadSkillRatio final : public Score {
 public:
  std::string name() const override { return "spread_skill_fortin"; }
  std::string definition() const override {
    return "sqrt((M + 1) / M) * ensemble_stddev / ensemble_mean_rmse";
  }
  double value(const Statistics& means, int members) const override {
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
  double value(const Statistics& means, int members) const override {
    return std::sqrt(at(means, Statistic::variance) / debiased_.value(means, members));
  }

 private:
  DebiasedEnsembleMeanMse debiased_;
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
  scores.push_back(std::make_unique<FairCrps>());
  scores.push_back(std::make_unique<DebiasedEnsembleMeanMse>());
  scores.push_back(std::make_unique<RawSpreadSkillRatio>());
  scores.push_back(std::make_unique<FortinSpreadSkillRatio>());
  scores.push_back(std::make_unique<UnbiasedSpreadSkillRatio>());
  std::sort(scores.begin(), scores.end(), [](const auto& a, const auto& b) { return a->name() < b->name(); });
  return scores;
}

}  // namespace

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

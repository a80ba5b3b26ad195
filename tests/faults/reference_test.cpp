// The same campaign by a plain loop in this process, without worker, ranks, queue or commit: the reference
// whose bits every run has.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/noise.hpp"
#include "eval/init_time_scorer.hpp"
#include "eval/init_time_sums.hpp"
#include "fake_hindcast/null_setup.hpp"
#include "faults/fault_runs.hpp"
#include "forecast/score_channels.hpp"
#include "stores/netcdf_document.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

constexpr int units = 6;
constexpr int leads = 3;
constexpr int members = 5;  // the last batch is padded
constexpr int batch = 2;

HindcastSetup make_setup() {
  HindcastConfig config = test::null_config(units, leads);
  config.ensemble.members = members;
  config.ensemble.batch = batch;
  return test::set_up_null_hindcast(config, {});
}

/// The newest state of every member after each step, [step][member][C, lat, lon].
std::vector<std::vector<std::vector<float>>> forecast(const HindcastSetup& setup, Time initial_time) {
  ForecastModel& model = *setup.model;
  const ModelInfo& info = model.info();
  std::vector<float> start;
  for (int age = info.history - 1; age >= 0; --age) {
    const State state = setup.input->read(initial_time - age * info.history_spacing, info.channels);
    start.insert(start.end(), state.values.begin(), state.values.end());
  }
  const std::size_t state_size = info.channels->size() * info.grid->points();
  std::vector<std::vector<std::vector<float>>> states(leads);
  for (int first = 0; first < members; first += batch) {
    std::vector<float> histories;
    for (int place = 0; place < batch; ++place) {
      histories.insert(histories.end(), start.begin(), start.end());
    }
    for (int step = 0; step < leads; ++step) {
      std::vector<float> noise;
      for (int place = 0; place < batch; ++place) {
        std::vector<float> draws(static_cast<std::size_t>(info.noise_width));
        const auto seed = static_cast<std::uint64_t>(setup.config.ensemble.seed);
        fill_normal_noise(seed, initial_time, first + place, step, draws);
        noise.insert(noise.end(), draws.begin(), draws.end());
      }
      model.advance({initial_time, step, histories, noise});
      for (int place = 0; place < batch && first + place < members; ++place) {
        const auto end = histories.begin() + static_cast<std::ptrdiff_t>(start.size()) * (place + 1);
        states[static_cast<std::size_t>(step)].emplace_back(end - static_cast<std::ptrdiff_t>(state_size),
                                                            end);
      }
    }
  }
  return states;
}

NetcdfDocument all_sums(const HindcastSetup& setup) {
  const ModelInfo& info = setup.model->info();
  eval::InitTimeScorer scorer(setup.score, info.grid, info.channels, members);
  const auto truth_channels = std::make_shared<const ChannelSet>(scored_channels(setup.score));
  std::vector<eval::InitTimeSums> sums;
  for (const Time initial_time : setup.initial_times) {
    const auto states = forecast(setup, initial_time);
    scorer.begin(initial_time);
    for (std::size_t lead = 0; lead < setup.leads.size(); ++lead) {
      std::vector<const float*> fields;
      for (const auto& member : states[lead]) {
        fields.push_back(member.data());
      }
      scorer.add(lead, fields, setup.truth->read(initial_time + setup.leads[lead], truth_channels));
    }
    sums.push_back(scorer.finish());
  }
  return eval::merge_sums(std::move(sums));
}

class Reference : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Ranks, Reference, testing::Values(1, 2, 4));

TEST_P(Reference, RunsHaveTheBitsOfAPlainLoop) {
  const fs::path folder = test::scratch_dir("reference");
  write_netcdf((folder / "reference.nc").string(), all_sums(make_setup()));
  const test::Job run = test::shell(
      test::launcher(GetParam()) +
      test::fake_hindcast(folder / "out", "--initial-times " + std::to_string(units) + " --leads " +
                                              std::to_string(leads) + " --members " +
                                              std::to_string(members) + " --batch " + std::to_string(batch)));
  ASSERT_EQ(run.code, 0) << run.output;
  EXPECT_EQ(test::first_difference(folder / "reference.nc", folder / "out/sums.nc"), "");
  // Must fail: another seed.
  HindcastSetup other = make_setup();
  ++other.config.ensemble.seed;
  write_netcdf((folder / "other.nc").string(), all_sums(other));
  EXPECT_NE(test::first_difference(folder / "other.nc", folder / "out/sums.nc"), "");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace mosaic

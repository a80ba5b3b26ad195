// Scores on a device against those on the processor: places, leads, regions, members on the host and on the
// device.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "device/device_arrays.hpp"
#include "eval/init_time_scorer.hpp"
#include "eval/scores_bench.hpp"
#include "support/errors.hpp"

namespace mosaic::eval {
namespace {

constexpr int member_count = 5;
constexpr std::size_t leads = 2;

/// Pseudo-random forecasts, truths and climatologies of two leads.
class DeviceScoresTest : public kernels::DeviceTest {
 protected:
  /// Work waits as long as it may: what is not waited for is not there.
  void SetUp() override {
    DeviceTest::SetUp();
#ifdef MOSAIC_EMULATED_DEVICE
    kernels::emulation::settings().streams = kernels::emulation::Asynchrony::late;
#endif
  }

  DeviceScoresTest() {
    options_.channels = {(*channels_)[4], (*channels_)[0], (*channels_)[3]};
    options_.regions = regions_by_name({"global", "tropics", "boxes:60"});
    options_.leads = {Duration::hours(6), Duration::hours(48)};
    options_.spectra_channels = {(*channels_)[2], (*channels_)[3], (*channels_)[1]};  // u, a scalar, v
    options_.climatology = true;
    options_.maps = {{(*channels_)[0]}, {Duration::hours(48)}};
    unsigned seed = 0;
    for (std::size_t lead = 0; lead < leads; ++lead) {
      for (int m = 0; m < member_count; ++m) {
        members_[lead].push_back(random_state(++seed));
      }
      const Time valid = start_ + options_.leads[lead];
      truths_.push_back({valid, grid_, channels_, random_state(++seed)});
      const auto some = std::make_shared<ChannelSet>(ChannelSet{(*channels_)[4], (*channels_)[3]});
      climatologies_.push_back({{valid, grid_, some, random_state(++seed)}, {}, {}});
      climatologies_.back().mean.values.resize(2 * grid_->points());
    }
  }

  std::vector<float> random_state(unsigned seed) const {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal(3.0F, 2.0F);
    std::vector<float> values(channels_->size() * grid_->points());
    std::generate(values.begin(), values.end(), [&] { return normal(engine); });
    return values;
  }

  std::vector<const float*> pointers(std::size_t lead) const {
    std::vector<const float*> states;
    for (const auto& member : members_[lead]) {
      states.push_back(member.data());
    }
    return states;
  }

  InitTimeSums score(InitTimeScorer& scorer, const std::function<EnsembleFields(std::size_t)>& fields) const {
    scorer.begin(start_);
    for (std::size_t lead = 0; lead < leads; ++lead) {
      scorer.add(lead, fields(lead), truths_[lead], &climatologies_[lead]);
    }
    return scorer.finish();
  }

  InitTimeSums from_host(bool on_device) const {
    ScoreOptions options = options_;
    options.on_device = on_device;
    InitTimeScorer scorer(options, grid_, channels_, member_count);
    return score(scorer, [&](std::size_t lead) { return EnsembleFields(pointers(lead)); });
  }

  /// Members as they lie in the memory of a model, gaps between them; the host has the channel of the maps.
  InitTimeSums from_device() const {
    ScoreOptions options = options_;
    options.on_device = true;
    const auto of_maps = std::make_shared<ChannelSet>(InitTimeScorer::host_channels(options));
    InitTimeScorer scorer(options, grid_, of_maps, member_count, channels_.get());
    const kernels::Stream stream;
    const std::size_t gap = 17, stride = members_[0][0].size() + gap;
    std::vector<kernels::DeviceArray> memory;  // of both leads: the first is read when the second is added
    return score(scorer, [&](std::size_t lead) {
      std::vector<float> all;
      for (const auto& member : members_[lead]) {
        all.insert(all.end(), member.begin(), member.end());
        all.insert(all.end(), gap, std::numeric_limits<float>::quiet_NaN());
      }
      memory.push_back(kernels::upload(all));
      return EnsembleFields(pointers(lead), DeviceMembers{memory.back().as<float>(),
                                                          static_cast<std::int64_t>(stride), &stream});
    });
  }

  /// Sums of as many terms as the grid has points, and of as many members, in another order: a relative
  /// error of some hundred roundings of the largest value.
  static void expect_near(const InitTimeSums& ours, const InitTimeSums& expected) {
    const auto mine = ours.arrays(), theirs = expected.arrays();
    ASSERT_EQ(mine.size(), theirs.size());
    for (std::size_t a = 0; a < mine.size(); ++a) {
      ASSERT_EQ(mine[a].size(), theirs[a].size());
      double largest = 0;
      for (const double value : theirs[a]) {
        largest = std::max(largest, std::isnan(value) ? 0.0 : std::abs(value));
      }
      for (std::size_t i = 0; i < mine[a].size(); ++i) {
        ASSERT_EQ(std::isnan(mine[a][i]), std::isnan(theirs[a][i])) << "array " << a << ", number " << i;
        if (!std::isnan(theirs[a][i])) {
          ASSERT_NEAR(mine[a][i], theirs[a][i], 1e-13 * largest) << "array " << a << ", number " << i;
        }
      }
    }
  }

  static void expect_same(const InitTimeSums& ours, const InitTimeSums& expected) {
    const auto mine = ours.arrays(), theirs = expected.arrays();
    ASSERT_EQ(mine.size(), theirs.size());
    for (std::size_t a = 0; a < mine.size(); ++a) {
      const auto mine_bytes = std::as_bytes(mine[a]), their_bytes = std::as_bytes(theirs[a]);
      EXPECT_TRUE(std::ranges::equal(mine_bytes, their_bytes)) << "array " << a;
    }
  }

  Time start_ = parse_time("2020-03-01T00");
  std::shared_ptr<const LatLonGrid> grid_ = std::make_shared<LatLonGrid>(LatLonGrid::with_poles(24, 13));
  std::shared_ptr<const ChannelSet> channels_ =
      std::make_shared<ChannelSet>(ChannelSet{{"2m_temperature", std::nullopt},
                                              {"v_component_of_wind", 500},
                                              {"u_component_of_wind", 500},
                                              {"geopotential", 500},
                                              {"geopotential", 850}});
  ScoreOptions options_;
  std::vector<std::vector<float>> members_[leads];
  std::vector<State> truths_;
  std::vector<ClimatologyFields> climatologies_;
};

TEST_F(DeviceScoresTest, AreThoseOfTheProcessor) {
  const InitTimeSums expected = from_host(false), ours = from_host(true);
  expect_near(ours, expected);
  EXPECT_EQ(ours.scored, expected.scored);
  // Must fail: the truths of two leads are told apart.
  std::swap(truths_[0].values, truths_[1].values);
  EXPECT_GT(std::abs(from_host(true).mean(0, 0, 0)[0] - expected.mean(0, 0, 0)[0]), 1e-6);
}

TEST_F(DeviceScoresTest, MembersOnTheDeviceGiveTheSameBits) { expect_same(from_device(), from_host(true)); }

/// Late streams still hold the first lead's scores when the second one's truth is sent.
TEST_F(DeviceScoresTest, TruthSentAheadGivesTheSameBits) {
  ScoreOptions options = options_;
  options.on_device = true;
  InitTimeScorer scorer(options, grid_, channels_, member_count);
  const auto send = [&](std::size_t lead) { scorer.send_ahead(lead, truths_[lead], &climatologies_[lead]); };
  const auto add = [&](std::size_t lead) {
    scorer.add(lead, pointers(lead), truths_[lead], &climatologies_[lead]);
  };
  const InitTimeSums expected = from_host(true);
  scorer.begin(start_);
  send(1);  // of an initial time that is given up
  scorer.begin(start_);
  send(0);
  add(0);
  send(1);
  send(1);
  add(1);
  expect_same(scorer.finish(), expected);
  scorer.begin(start_);
  send(1);
  add(0);  // another one than was sent
  add(1);
  expect_same(scorer.finish(), expected);
}

TEST_F(DeviceScoresTest, AChannelAloneHasTheSameBits) {
  const InitTimeSums all = from_host(true);
  options_.channels = {options_.channels[1]};
  options_.spectra_channels = {options_.spectra_channels[1]};
  const InitTimeSums alone = from_host(true);
  for (std::size_t region = 0; region < alone.regions.size(); ++region) {
    EXPECT_EQ(std::memcmp(&alone.mean(1, 0, region), &all.mean(1, 1, region), sizeof(kernels::Statistics)),
              0);
  }
  const std::size_t numbers = all.bands.size() * all.wavenumbers;
  EXPECT_EQ(
      std::memcmp(&alone.spectra[alone.spectrum_offset(SpectrumKind::truth, 1, 0, 0)],
                  &all.spectra[all.spectrum_offset(SpectrumKind::truth, 1, 1, 0)], numbers * sizeof(double)),
      0);
}

TEST_F(DeviceScoresTest, MissingValues) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  members_[0][2][3 * grid_->points() + 7] = nan;     // a spectrum's channel, and a scored one
  truths_[1].values[4 * grid_->points() + 9] = nan;  // a scored one
  expect_near(from_host(true), from_host(false));
  options_.missing = kernels::MissingValues::skip;
  expect_near(from_host(true), from_host(false));
}

TEST_F(DeviceScoresTest, AnInitialTimeThatWasGivenUpLeavesNothing) {
  ScoreOptions options = options_;
  options.on_device = true;
  InitTimeScorer scorer(options, grid_, channels_, member_count);
  scorer.begin(start_);
  scorer.add(1, pointers(0), {truths_[1].time, grid_, channels_, truths_[0].values}, &climatologies_[1]);
  scorer.begin(start_);
  scorer.add(0, pointers(0), truths_[0], &climatologies_[0]);
  const InitTimeSums sums = scorer.finish();
  EXPECT_TRUE(std::isnan(sums.mean(1, 0, 0)[0]));
  EXPECT_EQ(sums.mean(0, 0, 0)[0], from_host(true).mean(0, 0, 0)[0]);
}

TEST_F(DeviceScoresTest, TooManyMembersAreRefused) {
  ScoreOptions options = options_;
  options.on_device = true;
  const int members = most_members_on_device() + 1;
  EXPECT_EQ(test::code_of([&] { InitTimeScorer(options, grid_, channels_, members); }),
            ExitCode::bad_configuration);
}

TEST_F(DeviceScoresTest, BenchTimesThem) {
  ScoresBenchOptions options;
  options.longitudes = 24;
  options.latitudes = 13;
  options.members = 3;
  options.fields = 8;
  options.repeats = 1;
  options.on_device = true;
  const ScoresBenchReport report = run_scores_bench(options);
  ASSERT_TRUE(report.device.has_value());
  EXPECT_GT(report.device->seconds, 0.0);
  EXPECT_NE(scores_bench_text(report).find("the same on " + report.device->name), std::string::npos);
}

}  // namespace
}  // namespace mosaic::eval

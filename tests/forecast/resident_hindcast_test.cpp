// A hindcast whose members stay on the emulated device, against the same one on the processor: forecast files
// with the same bits, scores within rounding.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>

#include "device/device_arrays.hpp"
#include "end_to_end/hindcast_runs.hpp"
#include "eval/init_time_sums.hpp"
#include "fake_hindcast/hash_fields.hpp"
#include "fake_hindcast/null_model.hpp"
#include "fake_hindcast/null_setup.hpp"
#include "forecast/ensemble_rollout.hpp"
#include "forecast/score_results.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

/// The null model's members: computed on the host, kept on the device.
class ResidentNull : public ResidentEnsemble {
 public:
  ResidentNull(ForecastModel& model, int members)
      : model_(model),
        members_(static_cast<std::size_t>(members)),
        state_(model.info().channels->size() * model.info().grid->points()),
        window_(state_ * test::NullModel::history),
        histories_(members_ * window_),
        newest_(members_ * (state_ + gap) * sizeof(float)) {}

  void start(Time initial_time, std::span<const float> history) override {
    initial_time_ = initial_time;
    step_ = 0;
    for (std::size_t m = 0; m < members_; ++m) {
      std::copy(history.begin(), history.end(),
                histories_.begin() + static_cast<std::ptrdiff_t>(m * window_));
    }
  }

  void advance(std::span<const float> noise) override {
    const auto batch = static_cast<std::size_t>(model_.info().batch);
    constexpr std::size_t width = test::NullModel::noise_width;
    for (std::size_t first = 0; first < members_; first += batch) {
      model_.advance({initial_time_, step_, std::span(histories_).subspan(first * window_, batch * window_),
                      noise.subspan(first * width, batch * width)});
    }
    ++step_;
    for (std::size_t m = 0; m < members_; ++m) {
      kernels::copy_to_device(newest_.as<float>() + m * (state_ + gap), newest_on_host(m),
                              state_ * sizeof(float), stream_);
    }
    stream_.wait();
  }

  std::vector<bool> out_of_range(double) override {
    std::vector<bool> found;
    for (std::size_t m = 0; m < members_; ++m) {
      found.push_back(!std::all_of(newest_on_host(m), newest_on_host(m) + state_,
                                   [](float value) { return std::isfinite(value); }));
    }
    return found;
  }

  DeviceStates newest() const override {
    return {newest_.as<float>(), static_cast<std::int64_t>(state_ + gap), &stream_};
  }

  void fetch(int first_member, int members, std::span<const std::size_t> channels) override {
    EXPECT_FALSE(pending_) << "a copy is under way";
    pending_ = true;
    const std::size_t points = model_.info().grid->points();
    fetched_.clear();
    for (int m = first_member; m < first_member + members; ++m) {
      for (const std::size_t channel : channels) {
        const float* field = newest_on_host(static_cast<std::size_t>(m)) + channel * points;
        fetched_.insert(fetched_.end(), field, field + points);
      }
    }
  }

  std::span<const float> fetched() override {
    EXPECT_TRUE(pending_) << "nothing was asked for";
    pending_ = false;
    return fetched_;
  }

 private:
  static constexpr std::size_t gap = 5;
  const float* newest_on_host(std::size_t member) const {
    return histories_.data() + (member + 1) * window_ - state_;
  }

  ForecastModel& model_;
  std::size_t members_, state_, window_;
  std::vector<float> histories_;  // [M, T, C, lat, lon]
  kernels::DeviceMemory newest_;  // [M, C, lat, lon and a gap]
  kernels::Stream stream_;
  Time initial_time_;
  int step_ = 0;
  std::vector<float> fetched_;
  bool pending_ = false;
};

class DeviceNullModel : public test::NullModel {
 public:
  explicit DeviceNullModel(const test::NullModelOptions& options)
      : NullModel(options), info_(NullModel::info()) {
    info_.device = {0, "emulated device", "in a test"};
  }
  const ModelInfo& info() const override { return info_; }
  std::unique_ptr<ResidentEnsemble> make_resident(int members) override {
    return std::make_unique<ResidentNull>(*this, members);
  }

 private:
  ModelInfo info_;
};

HindcastConfig small_config() {
  HindcastConfig config = test::null_config(2, 3);
  config.ensemble.members = 5;
  config.ensemble.first_member = 1;  // the first batch is padded, too
  config.output.forecasts = true;
  return config;
}

template <class Model>
HindcastSetup set_up(const HindcastConfig& config, test::Fault fault = {}) {
  test::NullModelOptions options;
  options.batch = config.ensemble.batch;
  options.fault = fault;
  std::vector<Time> times;
  for (Time time = *config.times.start - test::NullModel::step; time <= *config.times.end + config.lead_time;
       time = time + test::NullModel::step) {
    times.push_back(time);
  }
  HindcastParts parts;
  parts.input = std::make_unique<test::HashFields>(times);
  parts.truth = std::make_unique<test::HashFields>(times);
  parts.model = std::make_unique<Model>(options);
  return set_up_hindcast(config, std::move(parts));
}

/// Runs the hindcast in a folder of its own; every rank gets the sums.
template <class Model>
std::vector<eval::InitTimeSums> run(const HindcastConfig& config, const fs::path& out) {
  const Comm comm = Comm::world();
  HindcastSetup setup = set_up<Model>(config);
  const ResultsFolder results(out.string());
  {
    JobInFolder job(comm, results, setup.identity, ExistingResults::overwrite, {});
    const HindcastOutcome outcome = run_hindcast(setup, results, job, comm, 0);
    EXPECT_EQ(outcome.committed, setup.initial_times.size());
    if (comm.rank() == 0) {
      finish_results(setup.initial_times, setup.score, results, job);
    }
    comm.barrier();
  }
  return eval::all_from_netcdf(read_netcdf(results.merged_sums_file()));
}

/// The same folder on all ranks.
fs::path shared_folder(const std::string& name) {
  const Comm comm = Comm::world();
  const fs::path folder = comm.broadcast(comm.rank() == 0 ? test::scratch_dir(name).string() : "");
  return folder;
}

void expect_same_files(const fs::path& ours, const fs::path& theirs) {
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(theirs / "forecasts")) {
    EXPECT_EQ(test::first_difference(entry.path(), ours / "forecasts" / entry.path().filename()), "");
    ++files;
  }
  EXPECT_EQ(files, 2U);
}

/// The largest difference of two sums' numbers, relative to the largest number of their array.
double distance(const std::vector<eval::InitTimeSums>& ours, const std::vector<eval::InitTimeSums>& theirs) {
  double largest = 0;
  for (std::size_t t = 0; t < theirs.size(); ++t) {
    const auto a = ours[t].arrays(), b = theirs[t].arrays();
    for (std::size_t i = 0; i < b.size(); ++i) {
      double scale = 0, off = 0;
      for (std::size_t k = 0; k < b[i].size(); ++k) {
        EXPECT_EQ(std::isnan(a[i][k]), std::isnan(b[i][k])) << "array " << i << ", number " << k;
        scale = std::max(scale, std::isnan(b[i][k]) ? 0 : std::abs(b[i][k]));
        off = std::max(off, std::isnan(b[i][k]) ? 0 : std::abs(a[i][k] - b[i][k]));
      }
      largest = std::max(largest, scale > 0 ? off / scale : off);
    }
  }
  return largest;
}

class ResidentHindcast : public testing::Test {
 protected:
  /// Work on the device waits as long as it may.
  void SetUp() override { kernels::emulation::settings().streams = kernels::emulation::Asynchrony::late; }

  /// Files with the bits of the processor's, scores within the rounding of sums of a few hundred terms.
  void expect_the_processors(const std::string& name) {
    const fs::path folder = shared_folder("resident_" + name);
    const auto expected = run<test::NullModel>(config_, folder / "host");
    const auto ours = run<DeviceNullModel>(config_, folder / "device");
    EXPECT_LE(distance(ours, expected), on_device_ ? 1e-12 : 0.0) << name;
    if (config_.output.forecasts && Comm::world().rank() == 0) {
      expect_same_files(folder / "device", folder / "host");
    }
    Comm::world().barrier();
  }

  HindcastConfig config_ = small_config();
  bool on_device_ = true;
};

TEST_F(ResidentHindcast, WritesAndScoresAllChannels) { expect_the_processors("all"); }

TEST_F(ResidentHindcast, WritesSomeLeadsAndChannels) {
  config_.output.channels = {"2m_temperature", "geopotential_500"};
  config_.output.lead_times = {2 * test::NullModel::step};
  config_.output.products = {"members", "mean", "spread"};
  expect_the_processors("some");
}

TEST_F(ResidentHindcast, WritesNothing) {
  config_.output.forecasts = false;
  expect_the_processors("nothing");
}

TEST_F(ResidentHindcast, MapsAreMadeOnTheHost) {
  config_.score.maps = {"2m_temperature"};
  config_.output.channels = {"geopotential_500"};
  expect_the_processors("maps");
}

TEST_F(ResidentHindcast, DerivedChannels) {
  config_.score.channels = {"10m_wind_speed", "geopotential_500"};
  expect_the_processors("derived");
}

TEST_F(ResidentHindcast, ScoresOnTheProcessor) {
  config_.score_device = "cpu";
  on_device_ = false;
  expect_the_processors("processor");
}

/// Members over the ranks of a group, or ranks with initial times of their own: the same bits.
TEST_F(ResidentHindcast, GroupsHaveTheSameBits) {
  const fs::path folder = shared_folder("resident_groups");
  config_.ranks_per_init = "1";
  const auto alone = run<DeviceNullModel>(config_, folder / "alone");
  config_.ranks_per_init = std::to_string(Comm::world().size());
  const auto together = run<DeviceNullModel>(config_, folder / "together");
  EXPECT_EQ(distance(together, alone), 0.0);
  if (Comm::world().rank() == 0) {
    expect_same_files(folder / "together", folder / "alone");
  }
  Comm::world().barrier();
}

TEST_F(ResidentHindcast, ThePlanSaysWhereScoresAreMade) {
  config_.output.folder = test::scratch_dir("resident_plan").string();
  const auto plan = [&] { return hindcast_plan(set_up<DeviceNullModel>(config_), 1, {}); };
  const auto expect_says = [&](const std::string& text) {
    EXPECT_NE(plan().find(text + "\n"), std::string::npos) << plan();
  };
  expect_says("statistics and spectra on the GPU");
  config_.score.maps = {"2m_temperature"};
  expect_says("statistics and spectra on the GPU; maps, SEEPS and quantiles on the processor");
  config_.ensemble.members = 65;
  expect_says("on the processor: a GPU takes 64 members at most");
  EXPECT_FALSE(set_up<DeviceNullModel>(config_).score.on_device);
  config_.score_device = "cpu";
  expect_says("on the processor (score.device: cpu)");
}

TEST_F(ResidentHindcast, RanksThatTakeOneDeviceAreCounted) {
  const Comm world = Comm::world();
  const DevicePlace place = find_device_place(world);
  EXPECT_EQ(place.rank_on_node, world.rank());
  EXPECT_EQ(place.sharing, world.size());  // one emulated device, all ranks on this host
}

TEST_F(ResidentHindcast, AnotherForecastIsNoticed) {
  const fs::path folder = shared_folder("resident_noticed");
  const auto expected = run<test::NullModel>(config_, folder / "host");
  ++config_.ensemble.seed;
  EXPECT_GT(distance(run<DeviceNullModel>(config_, folder / "device"), expected), 1e-6);
}

TEST_F(ResidentHindcast, ValuesThatAreNotFiniteAreNamed) {
  config_.ensemble.first_member = 0;
  HindcastSetup setup = set_up<DeviceNullModel>(config_, {test::FaultKind::non_finite, 1});
  EnsembleRollout rollout(*setup.model, {0, 5}, NoiseSource::from_seed(1));
  std::string message;
  const Time initial_time = setup.initial_times[0];
  std::vector<State> history;
  for (int age = test::NullModel::history - 1; age >= 0; --age) {
    history.push_back(
        setup.input->read(initial_time - age * test::NullModel::step, setup.model->info().channels));
  }
  rollout.start(initial_time, history);
  rollout.advance();
  EXPECT_EQ(test::code_of([&] { rollout.advance(); }, &message), ExitCode::internal);
  EXPECT_NE(message.find("member 0, "), std::string::npos) << message;
  EXPECT_NE(message.find("after step 2"), std::string::npos) << message;
}

}  // namespace
}  // namespace mosaic

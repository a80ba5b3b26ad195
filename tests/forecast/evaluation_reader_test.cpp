// Reading ahead of scoring: that it happens, stays within two lead times, and blames the right initial time.
#include "forecast/evaluation_reader.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <thread>

#include "base/error.hpp"
#include "eval/regions.hpp"
#include "fake_hindcast/hash_fields.hpp"
#include "stores/netcdf_document.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

const Channel temperature = {"2m_temperature", std::nullopt};
const Channel pressure = {"mean_sea_level_pressure", std::nullopt};
const Time first = parse_time("2020-01-01");
constexpr int member_count = 24;
constexpr std::chrono::seconds a_while{20};

float value_at(const Channel& channel, Time time, std::size_t point) {
  const auto seconds = static_cast<std::uint64_t>(time.seconds);
  return static_cast<float>(test::uniform(test::mixed(seconds, point + (channel == pressure ? 1000000 : 0))));
}

std::shared_ptr<const LatLonGrid> the_grid() {
  static const auto made = std::make_shared<const LatLonGrid>(LatLonGrid::with_poles(48, 25));
  return made;
}

class FakeTruth final : public FieldStore {
 public:
  FakeTruth() : FieldStore("truth") {
    grid_ = the_grid();
    for (int day = 0; day < 40; ++day) {
      times_.push_back(first + Duration::days(day));
    }
  }
  bool has(const Channel&) const override { return true; }
  State read(Time time, const std::shared_ptr<const ChannelSet>& channels) override {
    State state{time, grid_, channels, {}};
    for (const Channel& channel : *channels) {
      for (std::size_t point = 0; point < grid_->points(); ++point) {
        state.values.push_back(value_at(channel, time, point));
      }
    }
    return state;
  }
  std::vector<float> read_static(const std::string&) override { return {}; }
};

/// Each member is the truth of the valid time; `before` is called first in every read.
class FakeForecasts final : public ForecastStore {
 public:
  explicit FakeForecasts(int initial_times) : ForecastStore("forecasts") {
    grid_ = the_grid();
    for (int day = 0; day < initial_times; ++day) {
      initial_times_.push_back(first + Duration::days(day));
    }
    leads_ = {Duration::days(1), Duration::days(2), Duration::days(3)};
    for (int member = 0; member < member_count; ++member) {
      member_numbers_.push_back(member);
    }
  }
  bool has_time(Time, Duration) const override { return true; }
  bool has(const Channel&) const override { return true; }
  ChannelSet channels() const override { return {temperature, pressure}; }
  std::vector<float> read(Time initial_time, Duration lead, const ChannelSet& channels) override {
    EXPECT_EQ(under_way_.fetch_add(1), 0) << "one call at a time";
    struct End {
      std::atomic<int>& count;
      ~End() { --count; }
    } const end{under_way_};
    if (before) {
      before(initial_time, lead);
    }
    const auto all = std::make_shared<const ChannelSet>(channels);
    const std::vector<float> one = FakeTruth().read(initial_time + lead, all).values;
    std::vector<float> values;
    for (int member = 0; member < member_count; ++member) {
      values.insert(values.end(), one.begin(), one.end());
    }
    return values;
  }

  std::function<void(Time, Duration)> before;

 private:
  std::atomic<int> under_way_ = 0;
};

struct Case {
  EvaluationSetup setup;
  FakeForecasts* forecasts = nullptr;
};

Case make_case(int initial_times) {
  auto forecasts = std::make_unique<FakeForecasts>(initial_times);
  Case made;
  made.forecasts = forecasts.get();
  made.setup.truth = std::make_unique<FakeTruth>();
  made.setup.initial_times = forecasts->initial_times();
  made.setup.leads = forecasts->leads();
  made.setup.forecast = std::move(forecasts);
  made.setup.grid = the_grid();
  made.setup.score.channels = {temperature, pressure};
  made.setup.score.spectra_channels = {temperature, pressure};
  made.setup.score.regions = eval::regions_by_name({"global"});
  made.setup.score.leads = made.setup.leads;
  made.setup.identity = {{"test", "reading ahead"}};
  return made;
}

/// Scores everything into an empty folder; its path goes to `folder`.
EvaluationOutcome evaluate(const Case& test_case, std::string& folder) {
  const Comm comm = Comm::world();
  folder = comm.all_gather(test::scratch_dir("evaluation_reader").string()).front();
  const ResultsFolder results(folder);
  const JobInFolder job(comm, results, test_case.setup.identity, ExistingResults::resume, {});
  return run_evaluation(test_case.setup, results, job, comm);
}

TEST(EvaluationReader, ReadsWhileTheCallerDoesOtherThings) {
  const Case test_case = make_case(1);
  EvaluationReader reader(test_case.setup);
  std::promise<void> begin, other_things;
  std::future<void> begun = begin.get_future(), done = other_things.get_future();
  bool met = false;
  test_case.forecasts->before = [&](Time, Duration) {
    begin.set_value();
    met = done.wait_for(a_while) == std::future_status::ready;
  };
  reader.request(first, 1);
  EXPECT_EQ(begun.wait_for(a_while), std::future_status::ready) << "reads before anybody waits for it";
  EXPECT_TRUE(reader.pending());
  EXPECT_EQ(test::code_of([&] { reader.request(first, 2); }), ExitCode::internal);
  other_things.set_value();  // a request that read by itself would wait for this in vain
  const LeadFields fields = reader.take();
  EXPECT_TRUE(met);
  EXPECT_FALSE(reader.pending());
  EXPECT_GT(reader.seconds(), 0);
  const Time valid = first + Duration::days(2);
  EXPECT_EQ(fields.truth.time, valid);
  ASSERT_EQ(fields.forecast.size(), member_count * 2 * the_grid()->points());
  EXPECT_EQ(fields.forecast[the_grid()->points() + 7], value_at(pressure, valid, 7));
  EXPECT_EQ(fields.truth.values[7], value_at(temperature, valid, 7));
  EXPECT_FALSE(fields.climatology);
  EXPECT_EQ(test::code_of([&] { reader.take(); }), ExitCode::internal);
}

TEST(EvaluationReader, CarriesErrorsAndForgetsThem) {
  const Case test_case = make_case(1);
  EvaluationReader reader(test_case.setup);
  test_case.forecasts->before = [](Time, Duration lead) {
    require(lead != Duration::days(1), ExitCode::corrupt_input, "chunk 7 of lead {}", to_string(lead));
    if (lead == Duration::days(2)) {
      throw std::filesystem::filesystem_error("gone", std::make_error_code(std::errc::io_error));
    }
  };
  std::string message;
  reader.request(first, 0);
  EXPECT_EQ(test::code_of([&] { reader.take(); }, &message), ExitCode::corrupt_input);
  EXPECT_NE(message.find("chunk 7 of lead "), std::string::npos) << message;
  reader.request(first, 1);
  EXPECT_EQ(test::code_of([&] { reader.take(); }), ExitCode::io_error);
  reader.request(first, 0);
  reader.drop();
  reader.drop();
  reader.request(first, 2);
  EXPECT_EQ(reader.take().truth.time, first + Duration::days(3));
}

TEST(EvaluationReader, CountsTheFieldsOfTwoLeadTimes) {
  const Case test_case = make_case(1);
  EXPECT_EQ(bytes_of_fields(test_case.setup),
            2 * 2 * (member_count + 1) * the_grid()->points() * sizeof(float));
}

/// Every score is that of its own lead and time, and some initial times are begun before the one before them
/// on the same rank is committed.
TEST(EvaluationReader, TheNextInitialTimeIsReadWhileOneIsScored) {
  constexpr int initial_times = 16;
  const Case test_case = make_case(initial_times);
  std::string folder;
  std::atomic<int> early = 0;
  std::optional<Time> last;  // read() is not called by two threads at once
  test_case.forecasts->before = [&](Time time, Duration) {
    early += last && *last != time && !ResultsFolder(folder).is_committed(*last) ? 1 : 0;
    last = time;
  };
  const EvaluationOutcome outcome = evaluate(test_case, folder);
  EXPECT_EQ(outcome.code, ExitCode::complete);
  EXPECT_EQ(outcome.committed, static_cast<std::size_t>(initial_times));
  if (Comm::world().size() == 1) {  // with more, one of them may come too late for any
    EXPECT_GT(early.load(), 0);
    EXPECT_LT(early.load(), initial_times);
  }
  for (const Time time : test_case.setup.initial_times) {
    const auto sums = eval::from_netcdf(read_netcdf(ResultsFolder(folder).sums_file(time)));
    ASSERT_EQ(sums.initial_time, time);
    for (std::size_t lead = 0; lead < 3; ++lead) {
      EXPECT_EQ(sums.scored[lead], 1);
      for (std::size_t channel = 0; channel < 2; ++channel) {
        EXPECT_EQ(at(sums.mean(lead, channel, 0), kernels::Statistic::squared_error), 0.0);
      }
    }
  }
}

/// The damaged one was read while the one before it was scored.
TEST(EvaluationReader, AnErrorBelongsToTheInitialTimeThatWasRead) {
  for (const int damaged_lead : {1, 2, 3}) {
    Case test_case = make_case(12);
    test_case.setup.config.on_error = "continue";
    const Time damaged = first + Duration::days(6);
    test_case.forecasts->before = [&](Time time, Duration lead) {
      require(time != damaged || lead != Duration::days(damaged_lead), ExitCode::corrupt_input, "damaged");
    };
    std::string folder;
    const EvaluationOutcome outcome = evaluate(test_case, folder);
    EXPECT_EQ(outcome.code, ExitCode::partly_failed);
    EXPECT_EQ(outcome.committed, 11U);
    EXPECT_FALSE(ResultsFolder(folder).is_committed(damaged));
    ASSERT_EQ(outcome.failed.size(), 1U);
    EXPECT_EQ(outcome.failed.begin()->first, damaged);
    EXPECT_EQ(outcome.failed.begin()->second, "damaged");
  }
}

}  // namespace
}  // namespace mosaic

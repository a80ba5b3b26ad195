#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "base/files.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"
#include "world/simulation_folder.hpp"
#include "world/simulation_plan.hpp"
#include "world/world_members.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;
using world::Restart;
using world::SimulationFolder;
using world::SimulationPlan;
using world::SimulationRequest;
using world::SimulationStatus;
using world::WorldState;

SimulationRequest request_for(const std::string& last, std::size_t realizations) {
  SimulationRequest request;
  request.first = parse_time("2000-01-01");
  request.last = parse_time(last);
  request.grid = LatLonGrid::without_poles(64, 32);
  request.parameters = world::parameters_of(21);
  request.realizations = realizations;
  request.seed = 10;
  request.spin_up = Duration::days(150);
  return request;
}

TEST(SimulationPlan, StretchesAreContiguousAndOfEqualLength) {
  const SimulationPlan plan = world::plan_simulation(request_for("2000-01-06T11", 4));  // 11 times
  ASSERT_EQ(plan.times.size(), 11U);
  EXPECT_EQ(plan.times.back(), parse_time("2000-01-06T00"));
  std::vector<std::size_t> first, count;
  std::vector<std::uint64_t> seeds;
  for (const auto& stretch : plan.stretches) {
    first.push_back(stretch.first_time);
    count.push_back(stretch.count);
    seeds.push_back(stretch.seed);
  }
  EXPECT_EQ(first, (std::vector<std::size_t>{0, 3, 6, 9}));
  EXPECT_EQ(count, (std::vector<std::size_t>{3, 3, 3, 2}));
  EXPECT_EQ(seeds, (std::vector<std::uint64_t>{10, 11, 12, 13}));
  EXPECT_EQ(plan.start_of(plan.stretches[1]), parse_time("2000-01-02T12") - Duration::days(150));
  EXPECT_EQ(plan.steps_of(plan.stretches[0]), 150 * 24 + 2 * 12);
  EXPECT_EQ(plan.steps_of_all(), 4 * 150 * 24 + (3 * 2 + 1) * 12);
  EXPECT_EQ(plan.attributes.at("seams"), "2000-01-02T12 2000-01-04T00 2000-01-05T12");
  EXPECT_EQ(plan.attributes.at("dataset"), "qg3");
  EXPECT_EQ(plan.attributes.at("parameter_relaxation_days"), "20");
}

TEST(SimulationPlan, OneRealizationHasNoSeams) {
  EXPECT_EQ(world::plan_simulation(request_for("2000-01-01", 1)).attributes.at("seams"), "none");
}

TEST(SimulationPlan, AllProblemsAreNamed) {
  SimulationRequest request = request_for("1999-01-01", 1);
  request.step = Duration{1800};
  request.spin_up = Duration{10};
  std::string message;
  EXPECT_EQ(code_of([&] { world::plan_simulation(request); }, &message), ExitCode::usage);
  for (const char* words : {"--step 30min", "--spin-up 10s", "--end 1999-01-01T00"}) {
    EXPECT_NE(message.find(words), std::string::npos) << message;
  }
  EXPECT_EQ(code_of([&] { world::plan_simulation(request_for("2000-01-02", 4)); }), ExitCode::usage);
  EXPECT_EQ(code_of([&] { world::plan_simulation(request_for("2000-01-02", 3)); }), ExitCode::complete);
}

/// [2 numbers, members]
WorldState two_numbers(std::vector<double> q) {
  WorldState state;
  for (std::size_t m = 0; m < q.size() / 2; ++m) {
    state.times.push_back(Time{static_cast<std::int64_t>(q[m])});
  }
  state.q = std::move(q);
  return state;
}

TEST(WorldMembers, PartsAndTheirJoin) {
  const WorldState all = two_numbers({1, 2, 3, 10, 20, 30});
  const std::vector<std::size_t> wanted = {2, 0};
  const WorldState part = world::members_of(all, wanted);
  EXPECT_EQ(part.q, (std::vector<double>{3, 1, 30, 10}));
  EXPECT_EQ(part.times, (std::vector<Time>{{3}, {1}}));
  const std::vector<WorldState> states = {part, two_numbers({2, 20})};
  const WorldState whole = world::joined(states);
  EXPECT_EQ(whole.q, (std::vector<double>{3, 1, 2, 30, 10, 20}));
  EXPECT_EQ(whole.times, (std::vector<Time>{{3}, {1}, {2}}));
  EXPECT_EQ(world::joined({}).members(), 0U);
  EXPECT_EQ(code_of([&] { world::members_of(all, std::vector<std::size_t>{3}); }), ExitCode::internal);
}

class RestartFile : public testing::Test {
 protected:
  Restart restart_at(const char* time, std::size_t outputs) const {
    Restart restart{outputs, {}};
    restart.state.times = {parse_time(time)};
    restart.state.q.assign(request_.parameters.rows() * 2 * world::levels, 0.1);
    restart.state.q.front() = std::numeric_limits<double>::denorm_min();
    return restart;
  }
  ExitCode code_of_loading(const Restart& restart) const {
    folder_.save(2, restart);
    return code_of([&] { folder_.load(2, plan_, request_.parameters); });
  }

  SimulationRequest request_ = request_for("2000-01-06", 4);  // realization 2: 2000-01-04T00 ... 05T00
  SimulationPlan plan_ = world::plan_simulation(request_);
  SimulationFolder folder_{(scratch_dir("restart") / "store.zarr").string()};
  void SetUp() override { folder_.prepare(); }
};

TEST_F(RestartFile, IsExact) {
  EXPECT_FALSE(folder_.load(2, plan_, request_.parameters).has_value());
  const Restart saved = restart_at("2000-01-04T05", 1);
  folder_.save(2, saved);
  const auto loaded = folder_.load(2, plan_, request_.parameters);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->state.q, saved.state.q);
  EXPECT_EQ(loaded->state.times, saved.state.times);
  EXPECT_EQ(loaded->outputs, 1U);
}

TEST_F(RestartFile, MustFitThePlan) {
  EXPECT_EQ(code_of_loading(restart_at("1999-09-01", 0)), ExitCode::complete);
  EXPECT_EQ(code_of_loading(restart_at("2000-01-05", 3)), ExitCode::complete);
  for (const auto& [time, outputs] : std::vector<std::pair<const char*, std::size_t>>{
           {"1999-01-01", 0},        // before the spin-up
           {"1999-09-01T00:30", 0},  // between two steps
           {"1999-09-01", 1},        // an output before the spin-up's end
           {"2000-01-04T05", 0},     // one that was left out
           {"2000-01-05", 4},        // more than there are
           {"2000-01-05T01", 3}}) {  // beyond the end
    EXPECT_EQ(code_of_loading(restart_at(time, outputs)), ExitCode::corrupt_input) << time << " " << outputs;
  }
  Restart other = restart_at("1999-09-01", 0);
  other.state.q.pop_back();
  EXPECT_EQ(code_of_loading(other), ExitCode::corrupt_input);
  other.state.q.push_back(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(code_of_loading(other), ExitCode::corrupt_input);
}

TEST_F(RestartFile, LeftoversOfAKillAndWorkGo) {
  const std::string leftover = folder_.path() + "/geopotential/3.0.0.0.tmp4711";
  create_folder(folder_.path() + "/geopotential");
  write_text(leftover, "half");
  folder_.save(1, restart_at("1999-09-01", 0));
  folder_.prepare();
  EXPECT_FALSE(fs::exists(leftover));
  EXPECT_TRUE(folder_.load(2, plan_, request_.parameters) == std::nullopt);
  folder_.remove_work();
  EXPECT_FALSE(fs::exists(folder_.work_folder()));
}

TEST_F(RestartFile, StatusOfTheFolder) {
  EXPECT_EQ(folder_.status(plan_.attributes), SimulationStatus::absent);  // only the folder of the work
  write_text(folder_.path() + "/.zattrs", "{\"dataset\": \"era5\"}");
  EXPECT_EQ(code_of([&] { folder_.status(plan_.attributes); }), ExitCode::cannot_create);
  write_text(folder_.path() + "/.zattrs", "{\"dataset\": \"qg3\", \"seed\": \"11\"}");
  std::string message;
  EXPECT_EQ(code_of([&] { folder_.status(plan_.attributes); }, &message), ExitCode::bad_configuration);
  EXPECT_NE(message.find("seed: 11 there, 10 asked for"), std::string::npos) << message;
}

}  // namespace
}  // namespace mosaic::test

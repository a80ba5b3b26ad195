// Tendencies, steps and trajectories against golden/qg3. Tolerances: those of its README.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "support/golden.hpp"
#include "world/diagnostics.hpp"
#include "world/golden_world.hpp"

namespace mosaic::world {
namespace {

using test::largest_difference;
using test::packed;
using test::relative_difference;

double largest(const std::vector<double>& values) {
  return largest_difference(values, std::vector<double>(values.size()));
}

class GoldenDynamics : public ::testing::Test {
 protected:
  void SetUp() override {
    GOLDEN_OR_SKIP(arrays, "qg3/dynamics_t21.npz");
    GOLDEN_OR_SKIP(scalars, "qg3/scalars_t21.json");
    golden_ = open_tensor_file(arrays.string());
    parameters_ = test::golden_parameters(scalars.string());
    scalars_ = nlohmann::json::parse(read_text(scalars.string()));
    const auto seconds = static_cast<std::int64_t>(golden_->at("time0").to_double().at(0));
    state_ = {{epoch + Duration{seconds}}, packed(golden_->at("q0"))};
  }

  std::vector<double> array(const std::string& name) const { return packed(golden_->at(name)); }

  std::unique_ptr<TensorFile> golden_;
  Parameters parameters_;
  nlohmann::json scalars_;
  WorldState state_;
};

TEST_F(GoldenDynamics, TendencyAndItsParts) {
  const World world(parameters_);
  EXPECT_LT(relative_difference(world.streamfunction(state_.q), array("psi0")), 1e-12);
  const TendencyParts parts = tendency_parts(world, state_);
  const std::vector<double> total = array("tendency_total");
  const double size = largest(total);
  EXPECT_LT(largest_difference(parts.advection, array("tendency_advection")) / size, 1e-11);
  EXPECT_LT(largest_difference(parts.relaxation, array("tendency_relaxation")) / size, 1e-11);
  EXPECT_LT(largest_difference(parts.diffusion, array("tendency_diffusion")) / size, 1e-11);
  EXPECT_LT(largest_difference(parts.drag, array("tendency_ekman")) / size, 1e-11);
  std::vector<double> whole(total.size());
  Dynamics::Workspace workspace;
  const double phase = season(world.parameters(), static_cast<double>((state_.times[0] - epoch).seconds));
  world.dynamics().tendency(state_.q.data(), {phase}, whole.data(), workspace);
  EXPECT_LT(largest_difference(whole, total) / size, 1e-11);
}

TEST_F(GoldenDynamics, Trajectory) {
  const World world(parameters_);
  WorldState state = state_;
  world.advance(state, 1, 1);
  EXPECT_LT(relative_difference(state.q, array("q_after_1_step")), 1e-11);
  std::int64_t done = 1;
  for (const auto& [day, tolerance] : {std::pair{1, 1e-11}, {2, 1e-11}, {5, 1e-11}, {10, 1e-10}}) {
    world.advance(state, day * 24 - done, 1);
    done = day * 24;
    EXPECT_EQ(state.times[0], state_.times[0] + Duration::days(day));
    const std::string name = "psi_day" + std::to_string(day);
    EXPECT_LT(relative_difference(world.streamfunction(state.q), array(name)), tolerance) << name;
  }
}

TEST_F(GoldenDynamics, EnergyAndItsBudget) {
  const World world(parameters_);
  WorldState state = state_;
  for (int day = 0; day <= 10; ++day) {
    const std::string key = std::to_string(day) + ".0";
    ASSERT_TRUE(scalars_["energy"].contains(key));
    const Energetics energetics = energetics_of(world, state).at(0);
    const auto golden = scalars_["energy"][key].get<std::vector<double>>();
    std::vector<double> energy(energetics.kinetic.begin(), energetics.kinetic.end());
    energy.insert(energy.end(), energetics.available.begin(), energetics.available.end());
    EXPECT_LT(relative_difference(energy, golden), 1e-10) << "day " << day;
    const auto enstrophy = scalars_["enstrophy"][key].get<std::vector<double>>();
    EXPECT_LT(relative_difference({energetics.enstrophy.begin(), energetics.enstrophy.end()}, enstrophy),
              1e-10);
    const auto& budget = scalars_["budget"][key];
    EXPECT_LT(std::abs(energetics.advection), 1e-15);
    for (const auto& [name, value] : {std::pair{"relaxation", energetics.relaxation},
                                      {"ekman", energetics.drag},
                                      {"diffusion", energetics.diffusion}}) {
      EXPECT_NEAR(value, budget[name].get<double>(), 1e-10 * std::abs(budget[name].get<double>()))
          << name << ", day " << day;
    }
    world.advance(state, 24, 1);
  }
}

/// Ten days without forcing, drag and diffusion: relative changes of total energy and of the levels'
/// potential enstrophies.
std::vector<double> inviscid_changes(Parameters parameters, const WorldState& start, Duration time_step,
                                     WorldState& end) {
  parameters = unforced(parameters);
  parameters.time_step = time_step;
  const World world(parameters);
  end = start;
  world.advance(end, Duration::days(10).seconds / time_step.seconds, 1);
  const Energetics before = energetics_of(world, start).at(0), after = energetics_of(world, end).at(0);
  std::vector<double> changes = {after.total() / before.total() - 1};
  for (std::size_t level = 0; level < levels; ++level) {
    changes.push_back(after.enstrophy[level] / before.enstrophy[level] - 1);
  }
  return changes;
}

TEST_F(GoldenDynamics, WithoutForcingEnergyAndEnstrophyAreConserved) {
  WorldState end;
  const auto changes = inviscid_changes(parameters_, state_, parameters_.time_step, end);
  const auto of_golden = [&](const char* name, std::size_t first, std::size_t count) {
    double before = 0, after = 0;
    for (std::size_t i = first; i < first + count; ++i) {
      before += scalars_[name]["0.0"][i].get<double>();
      after += scalars_[name]["10.0"][i].get<double>();
    }
    return after / before - 1;
  };
  std::vector<double> golden = {of_golden("inviscid_energy", 0, 5)};
  for (std::size_t level = 0; level < levels; ++level) {
    golden.push_back(of_golden("inviscid_enstrophy", level, 1));
  }
  for (std::size_t i = 0; i < golden.size(); ++i) {
    EXPECT_NEAR(changes[i], golden[i], 0.01 * std::abs(golden[i])) << i;
  }
  const World world(parameters_);
  EXPECT_LT(relative_difference(world.streamfunction(end.q), array("psi_inviscid_day10")), 1e-10);
  // Half the step: an order of 4 in the state shows as one of about 5 in the invariants.
  const auto halved = inviscid_changes(parameters_, state_, Duration{parameters_.time_step.seconds / 2}, end);
  for (std::size_t i = 0; i < golden.size(); ++i) {
    EXPECT_LT(std::abs(halved[i]), std::abs(changes[i]) / 20) << i;
  }
}

}  // namespace
}  // namespace mosaic::world

#include "model/sampled_case.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "grid/mesh_tables.hpp"
#include "support/ball_tree.hpp"

namespace mosaic::test {

namespace {

/// Limit of the output's rms error [rms of the output].
constexpr double output_rms_limit = 1e-5;
/// float32 moves a selection score by about 1e-6: rows with a smaller gap may fall the other way.
constexpr double decided_gap = 1e-5;

InterpolationTable published_interpolation(const SpherePoints& sources, const SpherePoints& targets, int k) {
  const NeighbourTable table = ball_tree_neighbours(sources, targets, k);
  const auto n = static_cast<std::int64_t>(table.targets);
  return {at::tensor(std::vector<std::int64_t>(table.index.begin(), table.index.end())).view({n, k}),
          at::tensor(relative_positions(sources, targets, table)).view({n, k, 3})};
}

Network network_of(const GoldenCase& which, const TensorFile* neighbours) {
  const at::Tensor columns = static_columns(formula_static_fields(which), which.grid);
  NetworkTables tables = make_tables(which.network, which.grid, columns, nullptr, neighbours, 2);
  if (neighbours == nullptr) {
    const SpherePoints grid = sphere_points(which.grid);
    const SpherePoints mesh = sphere_points(HealpixMesh(which.network.stages.front().nside));
    tables.to_hp = published_interpolation(grid, mesh, which.network.neighbours);
    tables.to_ll = published_interpolation(mesh, grid, which.network.neighbours);
  }
  return {which.network, formula_parameters(which.network, which.key), tables};
}

/// Mean and rms of the whole tensor against the stored pair.
void expect_mean_rms(const at::Tensor& ours, double mean, double rms, double limit, const std::string& what) {
  const at::Tensor x = ours.detach().to(at::kDouble);
  EXPECT_NEAR(x.mean().item().toDouble(), mean, limit * rms) << what;
  EXPECT_NEAR(std::sqrt(x.square().mean().item().toDouble()), rms, limit * rms) << what;
}

}  // namespace

struct SampledCase::Seen {
  std::set<std::string> entries;
};

SampledCase::SampledCase(const std::filesystem::path& config_json, const std::filesystem::path& samples,
                         const TensorFile* neighbours)
    : which_(read_case(config_json)),
      truth_(open_tensor_file(samples.string())),
      network_(network_of(which_, neighbours)),
      states_(formula_states(which_)) {
  const auto time = truth_->at("day_year").to_float();
  features_ = features_of(states_, network_.tables().static_columns, time_columns(time[0], time[1]));
}

void SampledCase::check_inputs() const {
  const at::Tensor first = entry(*truth_, "input.state_first_points");  // [T, points, C]
  EXPECT_TRUE(states_.slice(0, 0, first.size(1)).permute({1, 0, 2}).equal(first));
  const std::vector<double> sums = truth_->at("input.state_sum_sumsq").to_double();
  const at::Tensor exact = states_.to(at::kDouble);
  EXPECT_NEAR(exact.sum().item().toDouble(), sums[0], 1e-9 * sums[1]);
  EXPECT_NEAR(exact.square().sum().item().toDouble(), sums[1], 1e-9 * sums[1]);
  const at::Tensor columns = entry(*truth_, "input.static_vars_first_points");
  expect_close(network_.tables().static_columns.slice(0, 0, columns.size(0)), columns, 1e-5,
               "static columns");
  const at::Tensor weights = entry(*truth_, "weights.preprocess0_first8");
  EXPECT_TRUE(network_.parameters()
                  .at("model.preprocess.0.weight")
                  .reshape({-1})
                  .slice(0, 0, weights.size(0))
                  .equal(weights));
}

void SampledCase::check_samples(const std::string& name, const at::Tensor& ours, int member,
                                Seen& seen) const {
  if (truth_->has(name + ".values")) {
    const at::Tensor sample = ours.reshape({-1}).index_select(0, entry(*truth_, name + ".flat_index"));
    expect_close(sample, entry(*truth_, name + ".values")[member], stage_limit, name);
    seen.entries.insert(name + ".values");
  }
}

void SampledCase::check_mean_rms(const std::string& name, const at::Tensor& ours, int member,
                                 Seen& seen) const {
  if (truth_->has(name + ".mean_rms")) {
    const std::vector<double> pairs = truth_->at(name + ".mean_rms").to_double();
    const double* pair = &pairs[2 * static_cast<std::size_t>(member)];
    expect_mean_rms(ours, pair[0], pair[1], stage_limit, name);
    seen.entries.insert(name + ".mean_rms");
  }
}

void SampledCase::check_selection(const std::string& block, const at::Tensor& index, int member,
                                  Seen& seen) const {
  if (!truth_->has(block + ".index")) {
    return;
  }
  const at::Tensor truth = entry(*truth_, block + ".index")[member];
  const at::Tensor undecided = entry(*truth_, block + ".gap")[member] < decided_gap;
  const at::Tensor different = (index != truth).any(-1);
  EXPECT_FALSE(different.logical_and(undecided.logical_not()).any().item().toBool()) << block;
  seen.entries.insert({block + ".index", block + ".gap"});
}

void SampledCase::check_gates(const std::string& block, const at::Tensor& gates, int member,
                              Seen& seen) const {
  const std::string every = block + ".gates_every_97th_token";
  if (truth_->has(every)) {
    expect_close(gates.slice(0, 0, gates.size(0), 97), entry(*truth_, every)[member], stage_limit, every);
    seen.entries.insert(every);
  }
  check_samples(block + ".gates", gates, member, seen);
}

void SampledCase::check_output(const at::Tensor& output, int member, Seen& seen) const {
  const at::Tensor sample = output.index_select(0, entry(*truth_, "output.point_index"));
  const Deviation error = deviation(sample, entry(*truth_, "output.values")[member]);
  EXPECT_LE(error.max, stage_limit);
  EXPECT_LE(error.rms, output_rms_limit);
  expect_close(output.to(at::kDouble).mean(0), entry(*truth_, "output.channel_mean")[member], stage_limit,
               "channel means");
  seen.entries.insert({"output.values", "output.channel_mean"});
  check_mean_rms("output", output, member, seen);
}

double SampledCase::output_error(const at::Tensor& output, int member) const {
  const at::Tensor truth = entry(*truth_, "output.values")[member].to(at::kDouble);
  const at::Tensor sample = output.to(at::kDouble).index_select(0, entry(*truth_, "output.point_index"));
  return std::sqrt(((sample - truth).square().sum() / truth.square().sum()).item().toDouble());
}

at::Tensor SampledCase::noise(int member) const { return entry(*truth_, "e")[member]; }

void SampledCase::check_member(int member) const {
  Seen seen;
  NetworkObserver observer;
  observer.stage = [&](const std::string& name, const at::Tensor& output) {
    check_samples(name, output, member, seen);
    check_mean_rms(name, output, member, seen);
  };
  observer.attention = [&](const std::string& block, const at::Tensor&, const at::Tensor&, const at::Tensor&,
                           const kernels::AttentionInternals& in, const at::Tensor& gated,
                           const at::Tensor&) {
    const std::string name = block + ".attention";
    check_selection(name, in.index, member, seen);
    check_gates(name, in.gates, member, seen);
    check_samples(name + ".local", in.local, member, seen);
    check_samples(name + ".selected", in.selected, member, seen);
    check_samples(name + ".gated", gated, member, seen);
  };
  const at::NoGradGuard no_gradients;
  check_output(network_.forward(features_, entry(*truth_, "e")[member], &observer), member, seen);
  for (const auto& [name, view] : truth_->tensors()) {
    const bool is_result = name != "e" && name != "day_year" && !name.ends_with("_index") &&
                           !name.starts_with("input.") && !name.starts_with("weights.") &&
                           !name.starts_with("grad.");
    EXPECT_TRUE(!is_result || seen.entries.contains(name)) << name << " was compared with nothing";
  }
}

void SampledCase::check_gradients() const {
  loss_with_gradients(network_, which_, features_, entry(*truth_, "e"), formula_target(which_));
  for (const auto& [name, parameter] : network_.parameters()) {
    ASSERT_TRUE(parameter.grad().defined()) << name;
    const std::string stored = "grad." + name;
    const at::Tensor sample =
        parameter.grad().reshape({-1}).index_select(0, entry(*truth_, stored + ".flat_index"));
    const std::vector<double> sum_rms = truth_->at(stored + ".sum_rms").to_double();
    const at::Tensor error = (sample - entry(*truth_, stored + ".values")).abs();
    EXPECT_LE(error.max().item().toDouble(), gradient_limit * sum_rms[1]) << name;
    expect_mean_rms(parameter.grad(), sum_rms[0] / static_cast<double>(parameter.numel()), sum_rms[1],
                    gradient_limit, stored);
  }
}

}  // namespace mosaic::test

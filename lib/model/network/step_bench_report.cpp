#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/machine.hpp"
#include "base/version.hpp"
#include "model/step_bench.hpp"

namespace mosaic {

namespace {

std::string heading(const StepBenchReport& report) {
  const StepBenchOptions& options = report.options;
  const auto machine = machine_identity();
  std::string text = fmt::format("# One step of the network, preset {}\n\n", options.preset);
  text += fmt::format("{}, {}\n\n", report.date, version_text());
  text += fmt::format("- {} ({}), {} threads, {}{}\n", machine.at("cpu"), machine.at("instruction_set"),
                      options.threads, to_string(options.precision),
                      machine.at("math_environment").empty() ? "" : ", " + machine.at("math_environment"));
  text += fmt::format(
      "- load average {:.1f} at the start, {:.1f} at the end, this program included: a share below 100 % is\n"
      "  time in which other programs had the processors\n",
      report.load, report.load_at_end);
  text += fmt::format(
      "- {} parameters, pseudo-random weights; {} steps of {} member(s), products timed best of {}\n",
      parameter_count(report.network), report.steps.size(), options.members, options.gemm_repeats);
  return text;
}

std::string verdict(const StepBenchReport& report) {
  const StepTiming& median = report.median();
  std::string text = "\n| | |\n|---|---|\n";
  const auto row = [&](const std::string& what, const std::string& value) {
    text += fmt::format("| {} | {} |\n", what, value);
  };
  row("median time per member-step", fmt::format("{:.3f} s", median.seconds));
  row("operations per member-step (counted = closed form)",
      fmt::format("{:.0f} = {:.4f} TFLOP", report.total_operations(), report.total_operations() / 1e12));
  row("best rate of the products in " + to_string(report.options.precision),
      fmt::format("{:.1f} GFLOP/s", report.best_rate() / 1e9));
  row("floor = operations / that rate",
      fmt::format("{:.3f} s", report.total_operations() / report.best_rate()));
  row("**median time / floor**", fmt::format("**{:.2f}**", report.floor_ratio()));
  row("median time / floor of the round just before it",
      fmt::format("{:.2f}", median.seconds * median.round_rate / report.total_operations()));
  row("the same ratio in processor time", fmt::format("{:.2f}", report.processor_ratio()));
  if (report.options.precision != Precision::float32) {
    const double single = report.best_rate(Precision::float32);
    row("best rate of the products in float32, floor",
        fmt::format("{:.1f} GFLOP/s, {:.3f} s", single / 1e9, report.total_operations() / single));
  }
  if (report.errors) {
    const StepErrors& errors = *report.errors;
    row("**error / error of naive bfloat16** (output of preset demo, L2, against float64)",
        fmt::format("{:.2e} / {:.2e} = **{:.2f}**", errors.ours, errors.naive, errors.ours / errors.naive));
    row("the largest such ratio of a stage",
        fmt::format("{:.2f} ({})", errors.worst_ratio, errors.worst_stage));
  }
  row("weights, tables, histories", fmt::format("{:.3f} GB", static_cast<double>(report.held) / 1e9));
  row("resident before the first step",
      fmt::format("{:.3f} GB", static_cast<double>(report.resident_before) / 1e9));
  row("**peak beyond weights, tables, histories** (program and libraries included)",
      fmt::format("**{:.3f} GB**", static_cast<double>(report.peak_beyond_held()) / 1e9));
  if (report.steps.size() > 2) {
    row(fmt::format("resident after step {} / after step 2", report.steps.size()),
        fmt::format("{:.4f}", report.resident_growth()));
  }
  return text;
}

/// Time of the median step by class, the rest last.
std::string class_table(const StepBenchReport& report) {
  const StepTiming& median = report.median();
  const double members = report.options.members;
  std::vector<std::pair<std::string, kernels::OperationTotals>> rows(median.classes.begin(),
                                                                     median.classes.end());
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  double rest = median.seconds;
  for (auto& [name, totals] : rows) {
    rest -= totals.seconds / members;
  }
  rows.push_back({"rest (not in a class)", {rest * members, 0, 0}});
  std::string text =
      "\n| class, median step | calls | time [s] | share | TFLOP | GFLOP/s "
      "|\n|---|---:|---:|---:|---:|---:|\n";
  for (const auto& [name, totals] : rows) {
    const double seconds = totals.seconds / members, operations = totals.operations / members;
    text += fmt::format("| {} | {:.0f} | {:.3f} | {:.1f} % | {:.6f} | {} |\n", name, totals.calls / members,
                        seconds, 100 * seconds / median.seconds, operations / 1e12,
                        operations > 0 ? fmt::format("{:.1f}", operations / seconds / 1e9) : "");
  }
  return text;
}

std::string product_table(const StepBenchReport& report) {
  std::string text =
      "\n| product | precision | shape | best GFLOP/s per round (share of the processors) "
      "|\n|---|---|---|---|\n";
  for (const ProductTiming& product : report.products) {
    text += fmt::format("| {} | {} | {} x {} x {} |", product.name, to_string(product.precision),
                        product.rows, product.inputs, product.outputs);
    for (std::size_t i = 0; i < product.rate.size(); ++i) {
      text += fmt::format("{} {:.1f} ({:.0f} %)", i == 0 ? "" : ",", product.rate[i] / 1e9,
                          100 * product.processor_share[i]);
    }
    text += " |\n";
  }
  return text;
}

std::string step_table(const StepBenchReport& report) {
  std::string text =
      "\n| step | s per member-step | share of the processors | resident after it [MB] | peak [MB] |\n"
      "|---:|---:|---:|---:|---:|\n";
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    const StepTiming& step = report.steps[i];
    text += fmt::format("| {} | {:.3f} | {:.0f} % | {:.1f} | {:.1f} |\n", i + 1, step.seconds,
                        100 * step.processor_share, static_cast<double>(step.resident) / 1e6,
                        static_cast<double>(step.peak) / 1e6);
  }
  return text;
}

}  // namespace

std::string step_bench_text(const StepBenchReport& report) {
  return heading(report) + verdict(report) + class_table(report) + product_table(report) + step_table(report);
}

std::string step_bench_json(const StepBenchReport& report) {
  using Json = nlohmann::ordered_json;
  const auto machine = machine_identity();
  Json json = {{"date", report.date},
               {"version", version_text()},
               {"machine", machine},
               {"preset", report.options.preset},
               {"precision", to_string(report.options.precision)},
               {"threads", report.options.threads},
               {"members", report.options.members},
               {"load_average", {report.load, report.load_at_end}},
               {"seconds_per_member_step", report.median().seconds},
               {"operations", report.total_operations()},
               {"best_product_rate", report.best_rate()},
               {"floor_ratio", report.floor_ratio()},
               {"processor_ratio", report.processor_ratio()},
               {"held_bytes", report.held},
               {"peak_bytes_beyond_held", report.peak_beyond_held()},
               {"resident_growth", report.resident_growth()},
               {"classes", Json::object()},
               {"products", Json::array()},
               {"steps", Json::array()}};
  if (report.errors) {
    json["errors"] = {{"network", "demo"},
                      {"ours", report.errors->ours},
                      {"naive", report.errors->naive},
                      {"worst_stage", report.errors->worst_stage},
                      {"worst_ratio", report.errors->worst_ratio}};
  }
  for (const auto& [name, totals] : report.median().classes) {
    json["classes"][name] = {{"seconds", totals.seconds / report.options.members},
                             {"operations", totals.operations / report.options.members}};
  }
  for (const ProductTiming& product : report.products) {
    json["products"].push_back({{"name", product.name},
                                {"precision", to_string(product.precision)},
                                {"shape", {product.rows, product.inputs, product.outputs}},
                                {"rate", product.rate},
                                {"processor_rate", product.processor_rate},
                                {"processor_share", product.processor_share}});
  }
  for (const StepTiming& step : report.steps) {
    json["steps"].push_back({{"seconds", step.seconds},
                             {"processor_share", step.processor_share},
                             {"resident_bytes", step.resident},
                             {"peak_bytes", step.peak}});
  }
  return json.dump(2) + "\n";
}

}  // namespace mosaic

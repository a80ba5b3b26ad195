#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/version.hpp"
#include "kernels/element_type.hpp"
#include "model/device_bench.hpp"

namespace mosaic {

namespace {

/// What the design predicts for a class, published size, one member of several on an H100. [ms]
const std::map<std::string, double>& budgets() {
  static const std::map<std::string, double> values = {{"block products: qkv, output, W13, W2", 12.2},
                                                       {"other products", 0.9},
                                                       {"attention", 10.1},
                                                       {"selection", 0.2},
                                                       {"norms, attention inputs", 1.05},
                                                       {"interpolation", 0.55}};
  return values;
}

/// The row of the budget that a class of the network belongs to; itself where there is none.
std::string budget_row(const std::string& name) {
  if (name == "qkv and output products" || name == "W13 and SwiGLU" || name == "W2") {
    return "block products: qkv, output, W13, W2";
  }
  return name == "norms" || name == "attention inputs" ? "norms, attention inputs" : name;
}

std::string milliseconds(double seconds) { return fmt::format("{:.3f}", seconds * 1e3); }

std::string gigabytes(std::size_t bytes) { return fmt::format("{:.2f}", static_cast<double>(bytes) / 1e9); }

std::string step_table(const DeviceBenchReport& report) {
  std::string text =
      "| members at once | queued kernel by kernel [ms] | one graph [ms] | graph, states copied to the host "
      "[ms] | memory planned [GB] | taken [GB] |\n"
      "|---:|---:|---:|---:|---:|---:|\n";
  for (const DeviceStepTiming& step : report.steps) {
    text += fmt::format("| {} | {} | **{}** | {} | {} | {} |\n", step.chunk, milliseconds(step.queued),
                        milliseconds(step.graph), milliseconds(step.copied), gigabytes(step.memory.planned),
                        gigabytes(step.memory.taken));
  }
  for (const DeviceStepTiming& step : report.steps) {
    if (step.chunk == 1) {
      text += fmt::format(
          "\nOne member at once: {} GB planned, {} GB taken beside the weights and tables of {} GB (the aim: "
          "less than 3 GB).\n",
          gigabytes(step.memory.beside_weights(step.memory.planned)),
          gigabytes(step.memory.beside_weights(step.memory.taken)), gigabytes(step.memory.weights));
    }
  }
  return text;
}

std::string class_table(const DeviceStepTiming& step) {
  std::map<std::string, DeviceClassTiming> rows;
  for (const auto& [name, timing] : step.classes) {
    rows[budget_row(name)].seconds += timing.seconds;
    rows[budget_row(name)].calls += timing.calls;
  }
  std::string text = fmt::format(
      "\nClasses, {} members, queued kernel by kernel (a class alone has gaps that the graph has not), "
      "medians:\n\n"
      "| class | calls | time per member-step [ms] | predicted for an H100 [ms] |\n|---|---:|---:|---:|\n",
      step.chunk);
  for (const auto& [name, timing] : rows) {
    const auto budget = budgets().find(name);
    text +=
        fmt::format("| {} | {} | {} | {} |\n", name, timing.calls, milliseconds(timing.seconds / step.chunk),
                    budget == budgets().end() ? "" : fmt::format("{:.2f}", budget->second));
  }
  return text +
         fmt::format(
             "| all classes | | {} | |\n| the queued step, with packing and unpacking of states | | {} | |\n",
             milliseconds(step.classes_seconds()), milliseconds(step.queued));
}

std::string attention_table(const DeviceBenchReport& report) {
  std::string text =
      "\nAttention of the finest level, one member, projections left out, ten calls in a row:\n\n"
      "| tokens | inputs [ms] | selection [ms] | attention [ms] | attention [ns per token] | TFLOP/s |\n"
      "|---:|---:|---:|---:|---:|---:|\n";
  for (const AttentionTiming& timing : report.attention) {
    text += fmt::format("| {} | {} | {} | {} | {:.1f} | {:.0f} |\n", timing.tokens,
                        milliseconds(timing.inputs), milliseconds(timing.selection),
                        milliseconds(timing.attend), timing.attend * 1e9 / static_cast<double>(timing.tokens),
                        timing.operations / timing.attend / 1e12);
  }
  return text + "\nTFLOP/s count a key block that both branches see twice, as if nothing were shared.\n";
}

}  // namespace

double DeviceStepTiming::classes_seconds() const {
  double sum = 0;
  for (const auto& [name, timing] : classes) {
    sum += timing.seconds;
  }
  return sum / chunk;
}

std::string device_bench_text(const DeviceBenchReport& report) {
  std::string text = fmt::format(
      "# The network's step on a GPU\n\n{}, {}, {}, {}, {} parameters\n\n", report.date, version_text(),
      report.device, to_string(report.options.precision), parameter_count(report.options.network));
  text += fmt::format(
      "Pseudo-random weights; medians of {} steps, time per member-step. Weights on the device after {:.2f} "
      "s, first step {:.2f} s after that.\n\n",
      report.options.steps, report.load_seconds, report.first_step);
  text += step_table(report);
  for (const DeviceStepTiming& step : report.steps) {
    text += class_table(step);
  }
  return text + (report.attention.empty() ? "" : attention_table(report));
}

std::string device_bench_json(const DeviceBenchReport& report) {
  nlohmann::json json = {{"date", report.date},
                         {"program", version_text()},
                         {"device", report.device},
                         {"precision", to_string(report.options.precision)},
                         {"parameters", parameter_count(report.options.network)},
                         {"load_s", report.load_seconds},
                         {"first_step_s", report.first_step}};
  for (const DeviceStepTiming& step : report.steps) {
    nlohmann::json row = {{"members", step.chunk},
                          {"queued_s", step.queued},
                          {"graph_s", step.graph},
                          {"copied_s", step.copied},
                          {"classes_s", step.classes_seconds()},
                          {"memory_planned_bytes", step.memory.planned},
                          {"memory_taken_bytes", step.memory.taken},
                          {"memory_weights_bytes", step.memory.weights}};
    for (const auto& [name, timing] : step.classes) {
      row["classes"][name] = {{"s", timing.seconds}, {"calls", timing.calls}};
    }
    json["steps"].push_back(row);
  }
  for (const AttentionTiming& timing : report.attention) {
    json["attention"].push_back({{"tokens", timing.tokens},
                                 {"inputs_s", timing.inputs},
                                 {"selection_s", timing.selection},
                                 {"attention_s", timing.attend},
                                 {"operations", timing.operations}});
  }
  return json.dump(2) + "\n";
}

}  // namespace mosaic

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernels/operation_record.hpp"
#include "model/network_config.hpp"
#include "model/precision.hpp"

namespace mosaic {

/// What `mosaic_bench step` measures: steps of a network with pseudo-random weights, products of large
/// matrices in between, both on the same threads; for bfloat16 also products in float32 and its error.
struct StepBenchOptions {
  std::string preset = "era5";  ///< era5, hres (the published networks), demo (the small one)
  Precision precision = Precision::float32;
  int threads = 1;
  int steps = 3;
  int members = 1;       ///< member-steps per step, one after the other
  int gemm_every = 1;    ///< products are timed before the first, after the last and after each n-th step
  int gemm_repeats = 5;  ///< of each product, every time
};

/// One product [rows, inputs] x [inputs, outputs], timed in every round of products.
struct ProductTiming {
  std::string name;
  Precision precision = Precision::float32;
  std::int64_t rows = 0, inputs = 0, outputs = 0;
  std::vector<double> rate;             ///< [FLOP s-1] best of each round
  std::vector<double> processor_share;  ///< processor time had / (elapsed time x threads), mean of each round
  std::vector<double> processor_rate;   ///< [FLOP per processor second] best of each round
};

struct StepTiming {
  double seconds = 0;          ///< per member-step
  double processor_share = 0;  ///< as of ProductTiming
  std::uint64_t resident = 0;  ///< [bytes] after the step
  std::uint64_t peak = 0;      ///< [bytes] of resident memory during the step, the whole process
  double round_rate = 0;       ///< [FLOP s-1] best product of the latest round before the step
  std::map<std::string, kernels::OperationTotals> classes;  ///< sums over the members
};

/// Relative L2 error against float64 of one forward pass of the demonstration's network, on the blocks that
/// float64 selects.
struct StepErrors {
  double ours = 0, naive = 0;  ///< of the output; naive = operation by operation in bfloat16
  std::string worst_stage;     ///< where ours / naive is largest
  double worst_ratio = 0;
};

struct StepBenchReport {
  StepBenchOptions options;
  NetworkConfig network;
  std::string date;  ///< UTC
  double load = 0;   ///< load average of the machine when the bench began
  double load_at_end = 0;
  std::map<std::string, double> operations;  ///< [FLOP] of one member-step by class
  std::uint64_t resident_before = 0;         ///< [bytes] before the first step and product
  std::uint64_t held = 0;                    ///< [bytes] weights, tables and histories
  std::vector<StepTiming> steps;
  std::vector<ProductTiming> products;
  std::optional<StepErrors> errors;  ///< for bfloat16

  double total_operations() const;
  /// The step of median time (the faster of two).
  const StepTiming& median() const;
  double best_rate() const { return best_rate(options.precision); }
  double best_rate(Precision precision) const;  ///< [FLOP s-1] of the products in it
  /// Median seconds per member-step over total_operations() / best_rate().
  double floor_ratio() const;
  std::uint64_t peak_beyond_held() const;  ///< [bytes] highest peak - held; the program itself included
  /// The same ratio in processor time, in which other programs do not count: processor seconds of the median
  /// step over those that the best product per processor second would take.
  double processor_ratio() const;
  /// Resident memory after the last step / after the second; 0 for fewer than three steps.
  double resident_growth() const;
};

/// `progress` is called with one line after every step and round. The operations counted from the shapes
/// that ran must be those of step_operations(). Errors: bad_configuration for an unknown preset or
/// numbers below 1; internal if the counts differ.
StepBenchReport run_step_bench(const StepBenchOptions& options,
                               const std::function<void(const std::string&)>& progress);

/// The report as a Markdown text, readable on a terminal.
std::string step_bench_text(const StepBenchReport& report);

/// The report as one JSON object.
std::string step_bench_json(const StepBenchReport& report);

}  // namespace mosaic

#include "model/step_bench.hpp"

#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "model/formula_numbers.hpp"
#include "model/mosaic_model.hpp"
#include "model/network/loading.hpp"
#include "model/network/member_step.hpp"
#include "model/network/precision_errors.hpp"
#include "model/step_operations.hpp"

namespace mosaic {

namespace {

using at::Tensor;

/// Elapsed and processor time from its making on.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  double processor() const { return processor_seconds() - processor_; }
  double processor_share(int threads) const { return processor() / seconds() / threads; }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double processor_ = processor_seconds();
};

Network formula_network(const NetworkConfig& config, const LatLonGrid& grid, Precision precision,
                        int threads) {
  const Tensor columns = static_columns(formula_values("bench/static", 3 * grid.points()), grid);
  return Network(config, formula_parameters(config, "bench", precision),
                 make_tables(config, grid, columns, nullptr, nullptr, threads));
}

std::uint64_t bytes_of(const Network& network) {
  std::uint64_t bytes = 0;
  const auto add = [&](const Tensor& tensor) { bytes += tensor.nbytes(); };
  for (const auto& [name, tensor] : network.parameters()) {
    add(tensor);
  }
  const NetworkTables& tables = network.tables();
  for (const Tensor& tensor : {tables.static_columns, tables.to_hp.neighbours, tables.to_hp.rel_pos,
                               tables.to_ll.neighbours, tables.to_ll.rel_pos}) {
    add(tensor);
  }
  for (const auto& list : {tables.cosine, tables.sine, tables.child_offsets}) {
    std::for_each(list.begin(), list.end(), add);
  }
  return bytes;
}

/// One round of a product: the best of `repeats`.
void time_product(ProductTiming& product, int repeats, int threads) {
  const at::ScalarType type = product.precision == Precision::bfloat16 ? at::kBFloat16 : at::kFloat;
  const Tensor x =
      tensor_from(formula_values("bench/x", static_cast<std::size_t>(product.rows * product.inputs)),
                  {product.rows, product.inputs})
          .to(type);
  const Tensor weight = tensor_from(formula_weight("bench", product.name, product.outputs, product.inputs),
                                    {product.outputs, product.inputs})
                            .to(type);
  Tensor out = at::zeros({product.rows, product.outputs}, x.options());
  const double operations = 2.0 * static_cast<double>(product.rows * product.inputs * product.outputs);
  double best = INFINITY, best_processor = INFINITY, share = 0;
  for (int i = 0; i < repeats; ++i) {
    const Stopwatch watch;
    at::mm_out(out, x, weight.t());
    share += watch.processor_share(threads) / repeats;
    best_processor = std::min(best_processor, watch.processor());
    best = std::min(best, watch.seconds());
  }
  product.rate.push_back(operations / best);
  product.processor_share.push_back(share);
  product.processor_rate.push_back(operations / best_processor);
}

/// The members of the bench and their common network.
class Members {
 public:
  Members(const StepBenchOptions& options, const NetworkConfig& config, const LatLonGrid& grid)
      : noise_width_(static_cast<std::size_t>(config.noise_width)),
        threads_(options.threads),
        operations_(step_operations(config, static_cast<std::int64_t>(grid.points()))),
        step_(formula_network(config, grid, options.precision, options.threads),
              {at::zeros({config.channels, 1, 1}), at::ones({config.channels, 1, 1})}, grid) {
    const std::size_t window = static_cast<std::size_t>(config.history * config.channels) * grid.points();
    for (int m = 0; m < options.members; ++m) {
      histories_.push_back(formula_values(fmt::format("bench/history {}", m), window));
    }
  }

  StepTiming advance(int step) {
    StepTiming timing;
    const std::vector<float> noise =
        formula_values(fmt::format("bench/noise {}", step), noise_width_ * histories_.size());
    const TimePhases phases{0.25F, 0.3F};
    reset_peak_resident_bytes();
    {
      const kernels::OperationRecord record;
      const Stopwatch watch;
      for (std::size_t m = 0; m < histories_.size(); ++m) {
        step_.advance(histories_[m], std::span(noise).subspan(m * noise_width_, noise_width_), phases);
      }
      timing.seconds = watch.seconds() / static_cast<double>(histories_.size());
      timing.processor_share = watch.processor_share(threads_);
      timing.classes = record.totals();
    }
    timing.peak = peak_resident_bytes();
    malloc_trim(0);  // as the forecast model does after each step
    timing.resident = resident_bytes();
    check(timing);
    return timing;
  }

  const std::map<std::string, double>& operations() const { return operations_; }
  std::uint64_t held_bytes() const {
    std::uint64_t bytes = bytes_of(step_.network());
    for (const auto& history : histories_) {
      bytes += history.size() * sizeof(float);
    }
    return bytes;
  }

 private:
  void check(const StepTiming& timing) const {
    const auto members = static_cast<double>(histories_.size());
    for (const auto& [name, totals] : timing.classes) {
      const auto known = operations_.find(name);
      const double expected = known == operations_.end() ? 0 : known->second;
      require(totals.operations == members * expected,
              "step bench: {} ran {} operations, the formula gives {}", name, totals.operations,
              members * expected);
    }
    for (const auto& [name, expected] : operations_) {
      require(timing.classes.contains(name), "step bench: no {} ran", name);
    }
    for (const auto& history : histories_) {
      require(std::all_of(history.begin(), history.end(), [](float x) { return std::isfinite(x); }),
              "step bench: the forecast is not finite");
    }
  }

  std::size_t noise_width_;
  int threads_;
  std::map<std::string, double> operations_;
  MemberStep step_;
  std::vector<std::vector<float>> histories_;
};

void check_options(const StepBenchOptions& options) {
  const bool known = options.preset == "era5" || options.preset == "hres" || options.preset == "demo";
  require(known, ExitCode::bad_configuration, "unknown preset '{}': there are era5, hres and demo",
          options.preset);
  const int smallest =
      std::min({options.threads, options.steps, options.members, options.gemm_every, options.gemm_repeats});
  require(smallest >= 1, ExitCode::bad_configuration,
          "step bench: threads, steps, members and the numbers of products must be at least 1");
}

/// The products of a round, the fastest of which in each precision is the machine's rate.
std::vector<ProductTiming> products_of(const NetworkConfig& config, Precision precision) {
  const StageConfig& finest = config.stages.front();
  ProductTiming cube, w13;
  cube.name = "4096 cubed";
  cube.rows = cube.inputs = cube.outputs = 4096;
  w13.name = "W13 of the finest level";
  w13.rows = std::int64_t{12} * finest.nside * finest.nside;
  w13.inputs = finest.width;
  w13.outputs = std::int64_t{2} * config.mlp_ratio * finest.width;
  std::vector<ProductTiming> products = {cube, w13};
  if (precision == Precision::bfloat16) {
    cube.precision = w13.precision = precision;
    products.insert(products.end(), {cube, w13});
  }
  return products;
}

/// Times every product; returns the best rate of the round in the precision of the steps.
double time_round(std::vector<ProductTiming>& products, const StepBenchOptions& options) {
  double best = 0;
  for (ProductTiming& product : products) {
    time_product(product, options.gemm_repeats, options.threads);
    if (product.precision == options.precision) {
      best = std::max(best, product.rate.back());
    }
  }
  malloc_trim(0);
  return best;
}

StepErrors errors_of_demo(const LatLonGrid& grid, Precision precision, int threads) {
  const c10::InferenceMode inference;
  const NetworkConfig config = demo_network();
  const PrecisionYardsticks yardsticks(formula_network(config, grid, Precision::float32, threads));
  const auto points = static_cast<std::int64_t>(grid.points());
  const Tensor features = tensor_from(
      formula_values("bench/features", grid.points() * static_cast<std::size_t>(config.features())),
      {points, config.features()});
  const Tensor noise = tensor_from(
      formula_values("bench/noise", static_cast<std::size_t>(config.noise_width)), {config.noise_width});
  StepErrors result;
  for (const StageErrors& stage :
       precision_errors(formula_network(config, grid, precision, threads), yardsticks, features, noise)) {
    result.ours = stage.ours;
    result.naive = stage.naive;
    if (stage.ours > result.worst_ratio * stage.naive) {
      result.worst_ratio = stage.ours / stage.naive;
      result.worst_stage = stage.stage;
    }
  }
  return result;
}

}  // namespace

StepBenchReport run_step_bench(const StepBenchOptions& options,
                               const std::function<void(const std::string&)>& progress) {
  check_options(options);
  set_model_threads(options.threads);
  const LatLonGrid grid = LatLonGrid::with_poles(240, 121);
  StepBenchReport report;
  report.options = options;
  report.network = options.preset == "demo" ? demo_network() : published_network(options.preset);
  report.date = fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::chrono::system_clock::now()));
  report.load = load_average();
  report.products = products_of(report.network, options.precision);
  Members members(options, report.network, grid);
  malloc_trim(0);
  report.operations = members.operations();
  report.held = members.held_bytes();
  report.resident_before = resident_bytes();
  double rate = 0;
  for (int step = 0; step < options.steps; ++step) {
    if (step % options.gemm_every == 0) {
      rate = time_round(report.products, options);
      progress(fmt::format("products: {:.1f} GFLOP/s", rate / 1e9));
    }
    StepTiming timing = members.advance(step);
    timing.round_rate = rate;
    report.steps.push_back(timing);
    progress(fmt::format("step {}: {:.3f} s per member-step, {:.0f} MB resident, at most {:.0f} MB", step + 1,
                         timing.seconds, static_cast<double>(timing.resident) / 1e6,
                         static_cast<double>(timing.peak) / 1e6));
  }
  time_round(report.products, options);
  report.load_at_end = load_average();
  if (options.precision != Precision::float32) {
    report.errors = errors_of_demo(grid, options.precision, options.threads);
  }
  return report;
}

double StepBenchReport::total_operations() const {
  return std::accumulate(operations.begin(), operations.end(), 0.0,
                         [](double sum, const auto& entry) { return sum + entry.second; });
}

const StepTiming& StepBenchReport::median() const {
  std::vector<const StepTiming*> order;
  for (const StepTiming& step : steps) {
    order.push_back(&step);
  }
  std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->seconds < b->seconds; });
  return *order.at((order.size() - 1) / 2);
}

namespace {

double largest(const std::vector<ProductTiming>& products, Precision precision,
               std::vector<double> ProductTiming::*values) {
  double best = 0;
  for (const ProductTiming& product : products) {
    if (product.precision == precision) {
      best = std::max(best, *std::max_element((product.*values).begin(), (product.*values).end()));
    }
  }
  return best;
}

}  // namespace

double StepBenchReport::best_rate(Precision precision) const {
  return largest(products, precision, &ProductTiming::rate);
}

double StepBenchReport::floor_ratio() const { return median().seconds / (total_operations() / best_rate()); }

double StepBenchReport::processor_ratio() const {
  const double processor = median().seconds * median().processor_share * options.threads;
  return processor * largest(products, options.precision, &ProductTiming::processor_rate) /
         total_operations();
}

std::uint64_t StepBenchReport::peak_beyond_held() const {
  std::uint64_t peak = 0;
  for (const StepTiming& step : steps) {
    peak = std::max(peak, step.peak);
  }
  return peak > held ? peak - held : 0;
}

double StepBenchReport::resident_growth() const {
  return steps.size() < 3
             ? 0
             : static_cast<double>(steps.back().resident) / static_cast<double>(steps[1].resident);
}

}  // namespace mosaic

#include "model/device_bench.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>

#include "base/error.hpp"
#include "base/stopwatch.hpp"
#include "model/device/device_members.hpp"
#include "model/device/state_fetch.hpp"
#include "model/formula_numbers.hpp"
#include "model/network/host_network.hpp"
#include "model/network/loading.hpp"

namespace mosaic {

namespace {

using kernels::DeviceMemory;
using kernels::ElementType;
using kernels::Stream;
using kernels::StreamTimer;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.at((values.size() - 1) / 2);
}

/// Time of `work` on the stream, after one run that is not counted; of `calls` in a row where one is shorter
/// than its queueing. [s]
double time_on(const Stream& stream, int repeats, const std::function<void()>& work, int calls = 1) {
  work();
  std::vector<double> seconds;
  for (int i = 0; i < repeats; ++i) {
    StreamTimer timer;
    timer.start(stream);
    for (int call = 0; call < calls; ++call) {
      work();
    }
    timer.stop(stream);
    seconds.push_back(timer.seconds() / calls);
  }
  return median(seconds);
}

/// The bench's network with the histories of a chunk.
class Bench {
 public:
  explicit Bench(const DeviceBenchOptions& options)
      : options_(options),
        channels_(static_cast<std::size_t>(options.network.channels)),
        tables_(make_tables(
            options.network, options.grid,
            static_columns(formula_values("bench/static", 3 * options.grid.points()), options.grid), nullptr,
            nullptr, 1)) {
    const auto shapes = parameter_shapes(options.network);
    for (const auto& [name, shape] : shapes) {
      parameters_[name] = formula_weight("bench", name, shape[0], shape[1]);
    }
    host_ = host_network(
        tables_, [this](const std::string& name) { return std::span<const float>(parameters_.at(name)); });
  }

  std::unique_ptr<DeviceStep> make_step(int chunk) const {
    const DeviceNormalisation none{std::vector<float>(channels_, 0.0F), std::vector<float>(channels_, 1.0F)};
    return std::make_unique<DeviceStep>(options_.network, host_, none, options_.grid,
                                        DeviceOptions{element_type(options_.precision), chunk}, Graphs::on);
  }

  std::vector<float> history() const {
    return formula_values("bench/history", static_cast<std::size_t>(options_.network.history) * channels_ *
                                               options_.grid.points());
  }

  std::vector<float> noise(int chunk) const {
    const int width = options_.network.noise == NoiseKind::none ? 0 : options_.network.noise_width;
    return formula_values("bench/noise", static_cast<std::size_t>(chunk * width));
  }

 private:
  const DeviceBenchOptions& options_;
  std::size_t channels_;
  NetworkTables tables_;
  std::map<std::string, std::vector<float>> parameters_;
  HostNetwork host_;
};

constexpr TimePhases phases{0.25F, 0.3F};

/// Times the classes of a step, which is queued kernel by kernel.
std::map<std::string, DeviceClassTiming> time_classes(
    const Stream& stream, int repeats, const std::function<void(const DeviceObserver*)>& step) {
  std::map<std::string, std::vector<double>> seconds;  // [steps]
  std::map<std::string, DeviceClassTiming> classes;
  for (int i = 0; i < repeats; ++i) {
    std::vector<std::pair<std::string, StreamTimer>> timers;
    DeviceObserver observer;
    observer.begin = [&](const char* name) { timers.emplace_back(name, StreamTimer()).second.start(stream); };
    observer.end = [&](const char*) { timers.back().second.stop(stream); };
    step(&observer);
    stream.wait();
    for (const auto& [name, timer] : timers) {
      std::vector<double>& steps = seconds[name];
      steps.resize(static_cast<std::size_t>(i) + 1);
      steps.back() += timer.seconds();
      classes[name].calls += i == 0 ? 1 : 0;
    }
  }
  for (auto& [name, timing] : classes) {
    timing.seconds = median(seconds.at(name));
  }
  return classes;
}

/// Time of a step whose newest states come to the host. [s] Errors: internal for states that are not finite.
double time_copied(const DeviceStep& step, DeviceMembers& members, std::span<const float> noise,
                   int repeats) {
  std::vector<std::size_t> channels(step.state_size() / step.points());
  std::iota(channels.begin(), channels.end(), std::size_t(0));
  StateFetch fetch(members.count(), channels.size(), step.points());
  std::vector<double> copied;
  for (int i = 0; i < repeats; ++i) {
    std::span<const float> states;
    double seconds = 0;
    {
      const Stopwatch watch(seconds);
      members.advance(noise, phases, Members::different);
      fetch.queue(members.newest(), 0, members.count(), channels);
      states = fetch.wait();
    }
    copied.push_back(seconds);
    const bool finite = std::all_of(states.begin(), states.end(), [](float x) { return std::isfinite(x); });
    require(finite, "device bench: the forecast is not finite");
  }
  return median(copied);
}

DeviceStepTiming time_steps(const Bench& bench, const DeviceBenchOptions& options, const DeviceStep& step,
                            DeviceMembers& members) {
  const int chunk = members.count();
  DeviceStepTiming timing;
  timing.chunk = chunk;
  const std::vector<float> noise = bench.noise(chunk);
  members.load_same(bench.history());
  DeviceObserver quiet;
  const auto advance = [&](const DeviceObserver* observer) {
    members.advance(noise, phases, Members::different, observer);
  };
  timing.queued = time_on(step.stream(), options.steps, [&] { advance(&quiet); }) / chunk;
  // After a queued step of its kind: the run that is not counted records the graph.
  timing.graph = time_on(step.stream(), options.steps, [&] { advance(nullptr); }) / chunk;
  timing.copied = time_copied(step, members, noise, options.steps) / chunk;
  timing.classes = time_classes(step.stream(), options.steps, advance);
  return timing;
}

/// Random numbers on the device, repeated from a piece of a million.
DeviceMemory random_product(std::size_t count, const Stream& stream) {
  const std::vector<float> piece = formula_values("bench/product", std::min<std::size_t>(count, 1 << 20));
  DeviceMemory memory(count * sizeof(float));
  for (std::size_t first = 0; first < count; first += piece.size()) {
    kernels::copy_to_device(memory.as<float>() + first, piece.data(),
                            std::min(piece.size(), count - first) * sizeof(float), stream);
  }
  stream.wait();
  return memory;
}

class AttentionBench {
 public:
  AttentionBench(const DeviceBenchOptions& options, std::int64_t tokens)
      : stage_(options.network.stages.front()), tokens_(tokens), type_(element_type(options.precision)) {
    const std::int64_t heads = stage_.heads, kv_heads = heads / options.network.group,
                       width = options.network.head_width, blocks = tokens / stage_.sparse_block_size;
    shape_ = {1, tokens, kv_heads,
              kernels::checked_pattern(
                  {stage_.block_attn_size, stage_.sparse_block_size,
                   std::min<std::int64_t>(stage_.selected_blocks, blocks), kernels::AttentionBranches::all},
                  tokens, heads, kv_heads)};
    columns_ = qkv_columns(options.network, stage_, true);
    const std::size_t number = size_of(type_);
    const auto bytes = [](std::int64_t count, std::size_t of) {
      return static_cast<std::size_t>(count) * of;
    };
    product_ = random_product(static_cast<std::size_t>(tokens * columns_), stream_);
    // No rotation: cosines 1, sines 0.
    const std::vector<float> ones(static_cast<std::size_t>(tokens * width / 2), 1.0F);
    cosine_ = DeviceMemory(ones.size() * sizeof(float));
    sine_ = DeviceMemory(ones.size() * sizeof(float));
    kernels::copy_to_device(cosine_.data(), ones.data(), cosine_.bytes(), stream_);
    kernels::fill_bytes(sine_.data(), 0, sine_.bytes(), stream_);
    stream_.wait();
    q_ = DeviceMemory(bytes(tokens * heads * width, number));
    out_ = DeviceMemory(bytes(tokens * heads * width, number));
    k_ = DeviceMemory(bytes(tokens * kv_heads * width, number));
    v_ = DeviceMemory(bytes(tokens * kv_heads * width, number));
    q_mean_ = DeviceMemory(bytes(blocks * heads * width, sizeof(float)));
    k_mean_ = DeviceMemory(bytes(blocks * kv_heads * width, sizeof(float)));
    v_mean_ = DeviceMemory(bytes(blocks * kv_heads * width, sizeof(float)));
    compressed_ = DeviceMemory(bytes(blocks * heads * width, sizeof(float)));
    gates_ = DeviceMemory(bytes(tokens * heads * 3, sizeof(float)));
    lists_ = DeviceMemory(bytes(blocks * kv_heads * shape_.list_capacity(), sizeof(std::int32_t)));
    counts_ = DeviceMemory(bytes(blocks * kv_heads * 4, sizeof(std::int32_t)));
    counter_ = DeviceMemory(sizeof(std::int32_t));
  }

  AttentionTiming run(int repeats) const {
    AttentionTiming timing;
    timing.tokens = tokens_;
    const std::int64_t keys =
        shape_.pattern.local_block + shape_.pattern.selected_blocks * shape_.pattern.sparse_block;
    timing.operations =
        4.0 * static_cast<double>(tokens_) * static_cast<double>(stage_.width) * static_cast<double>(keys);
    const auto time = [&](void (AttentionBench::*kernel)() const) {
      constexpr int calls = 10;
      return time_on(
          stream_, repeats, [&] { (this->*kernel)(); }, calls);
    };
    timing.inputs = time(&AttentionBench::inputs);
    timing.selection = time(&AttentionBench::select);
    timing.attend = time(&AttentionBench::attend);
    return timing;
  }

 private:
  void inputs() const {
    kernels::AttentionInputsArgs args;
    args.shape = shape_;
    args.product = product_.data();
    args.product_stride = columns_;
    args.cosine = cosine_.as<float>();
    args.sine = sine_.as<float>();
    args.type = type_;
    args.q = q_.data();
    args.k = k_.data();
    args.v = v_.data();
    args.q_mean = q_mean_.as<float>();
    args.k_mean = k_mean_.as<float>();
    args.v_mean = v_mean_.as<float>();
    args.gates = gates_.as<float>();
    kernels::attention_inputs(args, stream_);
  }

  void select() const {
    kernels::BlockSelectionArgs args;
    args.shape = shape_;
    args.q_mean = q_mean_.as<float>();
    args.k_mean = k_mean_.as<float>();
    args.v_mean = v_mean_.as<float>();
    args.lists = lists_.as<std::int32_t>();
    args.counts = counts_.as<std::int32_t>();
    args.compressed = compressed_.as<float>();
    kernels::select_blocks(args, stream_);
  }

  void attend() const {
    kernels::AttendArgs args;
    args.shape = shape_;
    args.type = type_;
    args.q = q_.data();
    args.k = k_.data();
    args.v = v_.data();
    args.lists = lists_.as<std::int32_t>();
    args.counts = counts_.as<std::int32_t>();
    args.gates = gates_.as<float>();
    args.compressed = compressed_.as<float>();
    args.out = out_.data();
    args.tile_counter = counter_.as<std::int32_t>();
    kernels::attend(args, kernels::AttendBody::automatic, stream_);
  }

  StageConfig stage_;
  std::int64_t tokens_, columns_ = 0;
  kernels::DeviceAttentionShape shape_;
  ElementType type_;
  Stream stream_;
  DeviceMemory product_, cosine_, sine_, q_, k_, v_, out_, q_mean_, k_mean_, v_mean_, compressed_, gates_,
      lists_, counts_, counter_;
};

}  // namespace

DeviceBenchReport run_device_bench(const DeviceBenchOptions& options) {
  require(options.steps >= 1 && !options.chunks.empty(), ExitCode::bad_configuration,
          "device bench: steps and chunks must be at least 1");
  kernels::use_device(0);
  DeviceBenchReport report;
  report.options = options;
  report.device = kernels::visible_devices().front().name;
  report.date = fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::chrono::system_clock::now()));
  const Bench bench(options);
  for (const int chunk : options.chunks) {
    const std::size_t free = kernels::free_device_memory();
    double load = 0, first = 0;
    std::unique_ptr<DeviceStep> step;
    {
      const Stopwatch watch(load);
      step = bench.make_step(chunk);
    }
    DeviceMembers members(*step, chunk);
    members.load_same(bench.history());
    {
      const Stopwatch watch(first);
      members.advance(bench.noise(chunk), phases, Members::same);
      step->stream().wait();
    }
    if (report.steps.empty()) {
      report.load_seconds = load;
      report.first_step = first;
    }
    const DevicePlan& plan = step->network().plan();
    const DeviceStepMemory memory{plan.total(), plan.weights,
                                  free - std::min(free, kernels::free_device_memory())};
    report.steps.push_back(time_steps(bench, options, *step, members));
    report.steps.back().memory = memory;
  }
  for (const std::int64_t tokens : options.attention_tokens) {
    report.attention.push_back(AttentionBench(options, tokens).run(options.steps));
  }
  return report;
}

}  // namespace mosaic

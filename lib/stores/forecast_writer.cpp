#include "stores/forecast_writer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "base/error.hpp"
#include "base/log.hpp"
#include "stores/netcdf_forecast.hpp"
#include "stores/netcdf_forecast_output.hpp"

namespace mosaic {

namespace {

/// Appends ensemble mean and spread (ddof 1) to `fields` [M, n], giving [M + 2, n]. Double sums in the order
/// of the members. One member has no spread: NaN.
void append_mean_and_spread(std::vector<float>& fields, std::size_t members, std::size_t n) {
  fields.resize((members + 2) * n);
  const auto count = static_cast<double>(members);
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0;
    for (std::size_t m = 0; m < members; ++m) {
      sum += fields[m * n + i];
    }
    const double mean = sum / count;
    double squares = 0;
    for (std::size_t m = 0; m < members; ++m) {
      const double deviation = fields[m * n + i] - mean;
      squares += deviation * deviation;
    }
    fields[members * n + i] = static_cast<float>(mean);
    fields[(members + 1) * n + i] = static_cast<float>(std::sqrt(squares / (count - 1)));
  }
}

/// Position of every selected channel in the states. Adds what is absent to `problems`.
std::vector<std::size_t> find_channels(const ChannelSet& selected, const ChannelSet& state,
                                       std::vector<std::string>& problems) {
  std::vector<std::size_t> positions;
  for (const auto& channel : selected) {
    const auto found = std::find(state.begin(), state.end(), channel);
    if (found == state.end()) {
      problems.push_back("channel " + channel.name() + " is not among those of the forecast");
    } else if (std::count(selected.begin(), selected.end(), channel) > 1) {
      problems.push_back("channel " + channel.name() + " is selected twice");
    }
    positions.push_back(static_cast<std::size_t>(found - state.begin()));
  }
  return positions;
}

std::vector<std::string> find_problems(const ForecastWriterOptions& options, int members) {
  std::vector<std::string> problems;
  const auto check = [&](bool ok, std::string text) {
    if (!ok) {
      problems.push_back(std::move(text));
    }
  };
  check(!options.channels.empty(), "no variable is selected");
  check(!options.leads.empty(), "no lead time is selected");
  check(std::is_sorted(options.leads.begin(), options.leads.end(), std::less_equal<>{}) ||
            options.leads.size() < 2,
        "lead times are not strictly ascending");
  check(options.members || options.mean || options.spread, "none of members, mean and spread is selected");
  check(members >= 1, fmt::format("{} members", members));
  check(!options.spread || members >= 2, fmt::format("the spread of {} member is not defined", members));
  check(options.deflate >= 0 && options.deflate <= 9,
        fmt::format("deflate {} is not 0 ... 9", options.deflate));
  check(!options.quantize_digits || (*options.quantize_digits >= 1 && *options.quantize_digits <= 6),
        fmt::format("quantize_digits {} is not 1 ... 6", options.quantize_digits.value_or(0)));
  return problems;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

/// The queue and its thread. Bytes count until their lead is on its way to disk, so that the bound holds for
/// queued and current leads together.
class ForecastWriter::Worker {
 public:
  Worker(ForecastWriterOptions options, LatLonGrid grid, int members, std::vector<std::size_t> positions)
      : options_(std::move(options)),
        grid_(std::move(grid)),
        members_(static_cast<std::size_t>(members)),
        positions_(std::move(positions)),
        thread_([this](const std::stop_token& stop) { run(stop); }) {}

  void begin(Time initial_time);
  void push(Duration lead, const std::vector<const float*>& members);
  void finish();
  double seconds_waited() const { return seconds_waited_; }
  std::uint64_t bytes_written() const;

 private:
  struct Begin {
    std::vector<ForecastFile> files;
  };
  struct Lead {
    std::size_t time_index;
    std::vector<float> fields;  // [M, selected channel, lat, lon]
  };
  struct Finish {
    bool commit = true;  ///< else discard
  };
  using Task = std::variant<Begin, Lead, Finish>;

  std::size_t values_per_member() const { return positions_.size() * grid_.points(); }
  std::vector<float> select(const std::vector<const float*>& members) const;
  void enqueue(Task task, std::size_t bytes);
  /// False if the writing thread has failed.
  bool wait_for_room(std::size_t bytes);
  std::vector<std::string> missing_leads() const;
  void run(const std::stop_token& stop);
  void carry_out(Begin& task);
  void carry_out(Lead& task);
  void carry_out(Finish& task);

  const ForecastWriterOptions options_;
  const LatLonGrid grid_;
  const std::size_t members_;
  const std::vector<std::size_t> positions_;  // of the selected channels in the states

  // Used by the calling thread only.
  bool open_ = false;
  Time initial_time_;
  std::set<Duration> pushed_;
  double seconds_waited_ = 0;
  double seconds_waited_before_ = 0;  // at the beginning of this initial time

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::pair<Task, std::size_t>> queue_;
  std::size_t bytes_ = 0;
  bool idle_ = true;
  std::exception_ptr problem_;
  std::uint64_t bytes_written_ = 0;

  std::unique_ptr<ForecastOutput> output_;  // used by the writing thread only
  std::jthread thread_;                     // last: it uses everything above
};

void ForecastWriter::Worker::begin(Time initial_time) {
  require(!open_, "forecast writer: begin {} before {} was finished", to_string(initial_time),
          to_string(initial_time_));
  Begin task{plan_forecast_files(options_, grid_, static_cast<int>(members_), initial_time)};
  open_ = true;
  initial_time_ = initial_time;
  pushed_.clear();
  seconds_waited_before_ = seconds_waited_;
  enqueue(std::move(task), 0);
}

std::vector<float> ForecastWriter::Worker::select(const std::vector<const float*>& members) const {
  std::vector<float> fields;
  fields.reserve((members_ + (options_.mean || options_.spread ? 2 : 0)) * values_per_member());
  for (const float* member : members) {
    for (const std::size_t position : positions_) {
      const float* field = member + position * grid_.points();
      fields.insert(fields.end(), field, field + grid_.points());
    }
  }
  return fields;
}

void ForecastWriter::Worker::push(Duration lead, const std::vector<const float*>& members) {
  require(open_, "forecast writer: push of lead {} without begin", to_string(lead));
  require(members.size() == members_, "forecast writer: {} members at lead {}, expected {}", members.size(),
          to_string(lead), members_);
  const auto found = std::lower_bound(options_.leads.begin(), options_.leads.end(), lead);
  if (found == options_.leads.end() || *found != lead) {
    return;
  }
  require(pushed_.insert(lead).second, "forecast writer: lead {} was pushed twice", to_string(lead));
  const std::size_t bytes = members_ * values_per_member() * sizeof(float);
  if (!wait_for_room(bytes)) {
    finish();  // throws the problem
  }
  enqueue(Lead{static_cast<std::size_t>(found - options_.leads.begin()), select(members)}, bytes);
}

bool ForecastWriter::Worker::wait_for_room(std::size_t bytes) {
  std::unique_lock lock(mutex_);
  const auto has_room = [&] { return bytes_ == 0 || bytes_ + bytes <= options_.queue_bytes || problem_; };
  if (!has_room()) {
    const auto start = std::chrono::steady_clock::now();
    changed_.wait(lock, has_room);
    seconds_waited_ += seconds_since(start);
  }
  return !problem_;
}

std::vector<std::string> ForecastWriter::Worker::missing_leads() const {
  std::vector<std::string> missing;
  for (const Duration lead : options_.leads) {
    if (!pushed_.contains(lead)) {
      missing.push_back(to_string(lead));
    }
  }
  return missing;
}

void ForecastWriter::Worker::enqueue(Task task, std::size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    queue_.emplace_back(std::move(task), bytes);
    bytes_ += bytes;
    idle_ = false;
  }
  changed_.notify_all();
}

void ForecastWriter::Worker::finish() {
  require(open_, "forecast writer: finish without begin");
  open_ = false;
  const std::vector<std::string> missing = missing_leads();
  enqueue(Finish{missing.empty()}, 0);
  std::exception_ptr problem;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return idle_; });
    problem = std::exchange(problem_, nullptr);
  }
  const double waited = seconds_waited_ - seconds_waited_before_;
  if (waited > 0) {
    log_warning(
        "forecast from {}: the model waited {:.1f} s for the forecast files: the writer's queue of {} MiB "
        "was full",
        to_string(initial_time_), waited, options_.queue_bytes >> 20);
  }
  if (problem) {
    std::rethrow_exception(problem);
  }
  require(missing.empty(), "forecast writer: no fields from {} at the selected leads {}",
          to_string(initial_time_), fmt::join(missing, ", "));
}

std::uint64_t ForecastWriter::Worker::bytes_written() const {
  const std::lock_guard lock(mutex_);
  return bytes_written_;
}

void ForecastWriter::Worker::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return !queue_.empty(); })) {
    auto [task, bytes] = std::move(queue_.front());
    queue_.pop_front();
    const bool skip = problem_ != nullptr;
    lock.unlock();
    std::exception_ptr problem;
    if (!skip) {
      try {
        std::visit([this](auto& one) { carry_out(one); }, task);
      } catch (...) {
        problem = std::current_exception();
        output_.reset();
      }
    }
    task = Finish{};  // frees the fields before their bytes are given back
    lock.lock();
    bytes_ -= bytes;
    problem_ = problem ? problem : problem_;
    idle_ = queue_.empty();
    changed_.notify_all();
    if (stop.stop_requested()) {
      break;
    }
  }
}

void ForecastWriter::Worker::carry_out(Begin& task) {
  output_ = std::make_unique<ForecastOutput>(options_, std::move(task.files));
}

void ForecastWriter::Worker::carry_out(Lead& task) {
  if (options_.mean || options_.spread) {
    append_mean_and_spread(task.fields, members_, values_per_member());
  }
  output_->write_lead(task.time_index, task.fields, positions_.size(), grid_.points());
}

void ForecastWriter::Worker::carry_out(Finish& task) {
  const std::uint64_t bytes = task.commit ? output_->commit() : 0;
  output_.reset();
  const std::lock_guard lock(mutex_);
  bytes_written_ += bytes;
}

ForecastWriter::ForecastWriter(const ForecastWriterOptions& options, const LatLonGrid& grid, int members,
                               const ChannelSet& state_channels) {
  std::vector<std::string> problems = find_problems(options, members);
  std::vector<std::size_t> positions = find_channels(options.channels, state_channels, problems);
  require(problems.empty(), ExitCode::bad_configuration, "forecast output: {}", fmt::join(problems, "; "));
  worker_ = std::make_unique<Worker>(options, grid, members, std::move(positions));
}

ForecastWriter::~ForecastWriter() = default;

void ForecastWriter::begin(Time initial_time) { worker_->begin(initial_time); }

void ForecastWriter::push(Duration lead, const std::vector<const float*>& members) {
  worker_->push(lead, members);
}

void ForecastWriter::finish() { worker_->finish(); }

double ForecastWriter::seconds_waited() const { return worker_->seconds_waited(); }

std::uint64_t ForecastWriter::bytes_written() const { return worker_->bytes_written(); }

}  // namespace mosaic

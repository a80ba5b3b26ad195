#include "forecast/hindcast_input.hpp"

#include <chrono>
#include <exception>
#include <iterator>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "fields/state_checks.hpp"

namespace mosaic {

namespace {

/// A file system may be away for a moment.
constexpr int read_attempts = 3;
constexpr std::chrono::seconds read_pause{1};

}  // namespace

HindcastInputReader::HindcastInputReader(const HindcastSetup& setup, ChannelSet truth_channels,
                                         const eval::ScoreOptions& score)
    : setup_(setup),
      truth_channels_(std::make_shared<const ChannelSet>(std::move(truth_channels))),
      input_ahead_(*setup.input),
      truth_ahead_(*setup.truth) {
  if (setup.climatology != nullptr && !truth_channels_->empty()) {
    climatology_.emplace(*setup.climatology, score, setup.model->info().grid);
  }
}

void HindcastInputReader::request(Time initial_time) {
  const ModelInfo& info = setup_.model->info();
  std::vector<Time> history;
  for (int age = info.history - 1; age >= 0; --age) {
    history.push_back(initial_time - age * info.history_spacing);
  }
  input_ahead_.request(history, info.channels);
  const std::vector<Time> valid = valid_times(initial_time);
  truth_ahead_.request(valid, truth_channels_);
  if (climatology_) {
    climatology_ahead_ = std::async(std::launch::async, [this, valid] {
      std::vector<eval::ClimatologyFields> fields;
      for (const Time time : valid) {
        fields.push_back(climatology_->read(time));
      }
      return fields;
    });
  }
}

/// Of the leads that have a truth.
std::vector<Time> HindcastInputReader::valid_times(Time initial_time) const {
  std::vector<Time> valid;
  for (const std::size_t lead : leads_with_truth(initial_time)) {
    valid.push_back(initial_time + setup_.leads[lead]);
  }
  return valid;
}

std::vector<std::size_t> HindcastInputReader::leads_with_truth(Time initial_time) const {
  std::vector<std::size_t> leads;
  for (std::size_t lead = 0; lead < setup_.leads.size() && !truth_channels_->empty(); ++lead) {
    if (setup_.truth->has_time(initial_time + setup_.leads[lead])) {
      leads.push_back(lead);
    }
  }
  return leads;
}

/// Waits for all requests, also if the first one fails.
HindcastInput HindcastInputReader::take_once(Time initial_time) {
  std::exception_ptr problem;
  HindcastInput input;
  const auto attempt = [&](const auto& take) {
    try {
      take();
    } catch (...) {
      problem = problem ? problem : std::current_exception();
    }
  };
  attempt([&] { input.history = input_ahead_.take(); });
  attempt([&] { input.truth = truth_ahead_.take(); });
  if (climatology_) {
    attempt([&] { input.climatology = climatology_ahead_.get(); });
  }
  if (problem) {
    std::rethrow_exception(problem);
  }
  check_history(input.history);
  input.truth_leads = leads_with_truth(initial_time);
  return input;
}

bool HindcastInputReader::take(Time initial_time, const GroupAgreement& agreement, HindcastInput& input) {
  for (int attempt = 1;; ++attempt) {
    try {
      return agreement.all_well([&] { input = take_once(initial_time); });
    } catch (const Error& problem) {
      if (setup_.config.on_error == "stop" || attempt == read_attempts) {
        throw;
      }
      if (agreement.group().rank() == 0) {
        log_warning("initial time {}: reading failed and is tried again: {}", to_string(initial_time),
                    problem.what());
      }
    }
    std::this_thread::sleep_for(read_pause);
    request(initial_time);
  }
}

void HindcastInputReader::check_history(const std::vector<State>& history) const {
  std::vector<std::string> problems;
  for (const State& state : history) {
    if (!setup_.config.check_input) {
      continue;
    }
    auto found = check_state(state);
    std::move(found.begin(), found.end(), std::back_inserter(problems));
    if (!setup_.orography.empty()) {
      found = check_orientation(state, setup_.orography);
      std::move(found.begin(), found.end(), std::back_inserter(problems));
    }
  }
  require(problems.empty(), ExitCode::corrupt_input,
          "{} is not fit for model input (input.check: false takes it all the same):\n  {}",
          setup_.input->path(), fmt::join(problems, "\n  "));
}

}  // namespace mosaic

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/stopwatch.hpp"
#include "forecast/hindcast_config.hpp"
#include "model/forecast_model.hpp"
#include "stores/forecast_writer.hpp"

namespace mosaic {

/// The forecast files of a hindcast; does nothing where output.forecasts is false.
class ForecastOutput {
 public:
  ForecastOutput() = default;
  explicit ForecastOutput(std::unique_ptr<ForecastWriter> writer) : writer_(std::move(writer)) {}

  void begin(Time initial_time);
  void push(Duration lead, const std::vector<const float*>& members);
  void finish();

 private:
  std::unique_ptr<ForecastWriter> writer_;
};

/// What could not be written ends the run whatever `on_error` says.
struct OutputFailure {
  Error problem;
};

/// Errors: OutputFailure in place of an Error of `write`, whose time is added to `seconds`.
template <class Write>
void write_or_fail(double& seconds, Write&& write) {
  const Stopwatch watch(seconds);
  try {
    write();
  } catch (const Error& problem) {
    throw OutputFailure{problem};
  }
}

/// The writer's options of a configuration. Errors: bad_configuration for a channel that the model does not
/// have.
ForecastWriterOptions forecast_writer_options(const HindcastConfig& config, const ModelInfo& model,
                                              const std::vector<Duration>& leads,
                                              const std::string& results_folder);

/// `state_channels`: of the states that push() is given.
ForecastOutput make_forecast_output(const HindcastConfig& config, const ModelInfo& model,
                                    const ChannelSet& state_channels, const std::vector<Duration>& leads,
                                    const std::string& results_folder);

}  // namespace mosaic

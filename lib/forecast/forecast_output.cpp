#include "forecast/forecast_output.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/version.hpp"

namespace mosaic {

void ForecastOutput::begin(Time initial_time) {
  if (writer_) {
    writer_->begin(initial_time);
  }
}

void ForecastOutput::push(Duration lead, const std::vector<const float*>& members) {
  if (writer_) {
    writer_->push(lead, members);
  }
}

void ForecastOutput::finish() {
  if (writer_) {
    writer_->finish();
  }
}

namespace {

/// Ascending, each once.
std::vector<Duration> written_leads(const HindcastConfig& config, const std::vector<Duration>& leads) {
  for (const Duration lead : config.output.lead_times) {
    require(std::find(leads.begin(), leads.end(), lead) != leads.end(), ExitCode::bad_configuration,
            "output.lead_times: {} is not a lead time of the forecast", to_string(lead));
  }
  std::vector<Duration> written = config.output.lead_times.empty() ? leads : config.output.lead_times;
  std::sort(written.begin(), written.end());
  written.erase(std::unique(written.begin(), written.end()), written.end());
  return written;
}

}  // namespace

ForecastWriterOptions forecast_writer_options(const HindcastConfig& config, const ModelInfo& model,
                                              const std::vector<Duration>& leads,
                                              const std::string& results_folder) {
  const auto wanted = [&](const char* product) {
    return std::find(config.output.products.begin(), config.output.products.end(), product) !=
           config.output.products.end();
  };
  ForecastWriterOptions options;
  options.folder = results_folder + "/forecasts";
  options.layout = config.output.layout == "member" ? ForecastLayout::member : ForecastLayout::ensemble;
  options.naming = config.output.naming == "wb2" ? VariableNaming::wb2 : VariableNaming::cf;
  options.deflate = config.output.deflate;
  options.threads = config.threads;
  options.quantize_digits = config.output.quantize_digits;
  options.queue_bytes = static_cast<std::size_t>(config.output.queue) << 20;
  options.leads = written_leads(config, leads);
  options.first_member = config.ensemble.first_member;
  options.members = wanted("members");
  options.mean = wanted("mean");
  options.spread = wanted("spread");
  options.attributes = {{"title", "Ensemble forecast: " + model.name},
                        {"summary", model.description},
                        {"source", model.description + "; " + version_text()}};
  for (const std::string& name : config.output.channels) {
    options.channels.push_back(parse_channel(name));
  }
  if (options.channels.empty()) {
    options.channels = *model.channels;
  }
  for (const Channel& channel : options.channels) {
    require(std::find(model.channels->begin(), model.channels->end(), channel) != model.channels->end(),
            ExitCode::bad_configuration, "output.channels: {} is not a channel of the model {}",
            channel.name(), model.name);
  }
  return options;
}

ForecastOutput make_forecast_output(const HindcastConfig& config, const ModelInfo& model,
                                    const ChannelSet& state_channels, const std::vector<Duration>& leads,
                                    const std::string& results_folder) {
  if (!config.output.forecasts) {
    return {};
  }
  create_folder(results_folder + "/forecasts");
  return ForecastOutput(
      std::make_unique<ForecastWriter>(forecast_writer_options(config, model, leads, results_folder),
                                       *model.grid, config.ensemble.members, state_channels));
}

}  // namespace mosaic

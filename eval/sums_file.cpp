#include <algorithm>
#include <span>
#include <utility>

#include "base/error.hpp"
#include "eval/document_axes.hpp"
#include "eval/init_time_sums.hpp"

namespace mosaic::eval {
namespace {

// One name per kernels::Statistic, in its order.
const std::vector<std::string> statistic_names = {"squared_error",
                                                  "error",
                                                  "absolute_error",
                                                  "spread",
                                                  "ensemble_mean_squared_error",
                                                  "variance",
                                                  "debiased_squared_error",
                                                  "energy_skill",
                                                  "energy_spread",
                                                  "anomaly_product",
                                                  "forecast_anomaly_squared",
                                                  "truth_anomaly_squared",
                                                  "error_weight",
                                                  "ensemble_weight"};
constexpr std::int32_t without_level = 0;  // [hPa]

/// The variable and level axes of channels or spectra: strings and integers, 0 for no level.
template <class Items>
void add_channel_axis(NetcdfDocument& document, const std::string& name, const Items& items) {
  std::vector<std::string> variables;
  std::vector<std::int32_t> levels;
  for (const auto& item : items) {
    variables.push_back(item.variable);
    levels.push_back(item.level.value_or(without_level));
  }
  document.dimensions.emplace_back(name, variables.size());
  document.variables.push_back({name + "_variable", {name}, std::move(variables), {}});
  document.variables.push_back(
      {name + "_level",
       {name},
       std::move(levels),
       {{"units", std::string("hPa")}, {"comment", std::string("0 means no level")}}});
}

std::vector<Channel> read_channel_axis(const NetcdfDocument& document, const std::string& name) {
  const auto& variables = values_of<std::string>(document, name + "_variable");
  const auto& levels = values_of<std::int32_t>(document, name + "_level");
  require(variables.size() == levels.size(), ExitCode::corrupt_input, "{} variables but {} levels along {}",
          variables.size(), levels.size(), name);
  std::vector<Channel> channels;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    channels.push_back({variables[i], levels[i] == without_level ? std::nullopt : std::optional(levels[i])});
  }
  return channels;
}

void add_values(NetcdfDocument& document, std::span<const InitTimeSums> all) {
  std::vector<std::int64_t> times;
  std::vector<std::int32_t> scored;
  std::vector<double> means;
  std::vector<double> spectra;
  std::vector<double> by_degree;
  std::vector<double> ranks;
  for (const InitTimeSums& sums : all) {
    times.push_back(sums.initial_time.seconds);
    scored.insert(scored.end(), sums.scored.begin(), sums.scored.end());
    for (const kernels::Statistics& statistics : sums.means) {
      means.insert(means.end(), statistics.begin(), statistics.end());
    }
    spectra.insert(spectra.end(), sums.spectra.begin(), sums.spectra.end());
    by_degree.insert(by_degree.end(), sums.by_degree.values.begin(), sums.by_degree.values.end());
    ranks.insert(ranks.end(), sums.ranks.begin(), sums.ranks.end());
  }
  add_axis(
      document, "init_time", std::move(times),
      {{"units", std::string("seconds since 1970-01-01")}, {"calendar", std::string("proleptic_gregorian")}});
  document.variables.push_back({"scored",
                                {"init_time", "lead_time"},
                                std::move(scored),
                                {{"comment", std::string("0 where there was no truth")}}});
  document.variables.push_back({"area_mean",
                                {"init_time", "lead_time", "channel", "region", "statistic"},
                                std::move(means),
                                {{"long_name", std::string("area means of pointwise statistics")}}});
  document.variables.push_back(
      {"rank_counts",
       {"init_time", "lead_time", "channel", "rank_kind", "rank"},
       std::move(ranks),
       {{"long_name", std::string("points by rank of the truth, without area weights")}}});
  if (!all.front().quantities.empty()) {
    document.variables.push_back(
        {"zonal_energy_spectrum",
         {"init_time", "kind", "lead_time", "spectrum", "latitude_band", "zonal_wavenumber"},
         std::move(spectra),
         {{"long_name", std::string("zonal energy spectrum, mean over a latitude band")}}});
  }
  if (!by_degree.empty()) {
    document.variables.push_back({"degree_spectrum",
                                  {"init_time", "kind", "lead_time", "degree_quantity", "degree"},
                                  std::move(by_degree),
                                  {{"long_name", std::string("power by spherical-harmonic degree")}}});
  }
}

/// All have the same axes and ascending initial times.
NetcdfDocument document_of(std::span<const InitTimeSums> all) {
  const InitTimeSums& first = all.front();
  NetcdfDocument document;
  add_lead_times(document, first.leads);
  add_channel_axis(document, "channel", first.channels);
  add_axis(document, "region", first.regions);
  add_axis(document, "statistic", statistic_names);
  add_rank_axes(document, first.members);
  if (!first.quantities.empty()) {
    add_channel_axis(document, "spectrum", first.quantities);
    add_axis(document, "kind",
             std::vector<std::string>(spectrum_kind_names.begin(), spectrum_kind_names.end()));
    add_axis(document, "latitude_band", first.bands);
    std::vector<std::int64_t> wavenumbers(first.wavenumbers);
    for (std::size_t k = 0; k < wavenumbers.size(); ++k) {
      wavenumbers[k] = static_cast<std::int64_t>(k);
    }
    add_axis(document, "zonal_wavenumber", std::move(wavenumbers));
  }
  if (first.by_degree.degrees > 0) {
    add_channel_axis(document, "degree_quantity", first.by_degree.quantities);
    add_degree_axis(document, first.by_degree.degrees);
  }
  add_values(document, all);
  document.attributes = {
      {"title", std::string("sums of scores by initial time")},
      {"ensemble_size", static_cast<std::int64_t>(first.members)},
      {"weights", std::string("sine of latitude between cell edges half way in angle, closed at the poles")}};
  return document;
}

std::int64_t integer_attribute(const NetcdfDocument& document, const std::string& name) {
  for (const auto& [key, value] : document.attributes) {
    if (const auto* number = std::get_if<std::int64_t>(&value); number != nullptr && key == name) {
      return *number;
    }
  }
  fail(ExitCode::corrupt_input, "a file of sums must have the integer attribute {}", name);
}

/// Axes and empty values of one initial time of the document.
InitTimeSums read_axes(const NetcdfDocument& document) {
  InitTimeSums sums;
  sums.members = static_cast<int>(integer_attribute(document, "ensemble_size"));
  sums.leads = read_lead_times(document);
  sums.channels = read_channel_axis(document, "channel");
  sums.regions = values_of<std::string>(document, "region");
  require(values_of<std::string>(document, "statistic") == statistic_names, ExitCode::corrupt_input,
          "the statistics of a file of sums are not those of this version; score again");
  const auto has = [&](const char* name) {
    return std::any_of(document.dimensions.begin(), document.dimensions.end(),
                       [name](const auto& dimension) { return dimension.first == name; });
  };
  if (has("degree")) {
    for (const Channel& channel : read_channel_axis(document, "degree_quantity")) {
      sums.by_degree.quantities.push_back({channel.variable, channel.level, {}});
    }
    sums.by_degree.degrees = document.dimension("degree");
  }
  if (has("spectrum")) {
    for (const Channel& channel : read_channel_axis(document, "spectrum")) {
      sums.quantities.push_back({channel.variable, channel.level, {}});
    }
    sums.bands = values_of<std::string>(document, "latitude_band");
    sums.wavenumbers = document.dimension("zonal_wavenumber");
  }
  return sums;
}

void require_axis(bool same, const char* axis) {
  require(
      same, ExitCode::corrupt_input,
      "two sets of sums have different {} and cannot be combined: one of their files is damaged or belongs "
      "to another run",
      axis);
}

std::vector<std::pair<std::string, std::optional<int>>> names_of(
    const std::vector<SpectrumQuantity>& quantities) {
  std::vector<std::pair<std::string, std::optional<int>>> names;
  for (const SpectrumQuantity& quantity : quantities) {
    names.emplace_back(quantity.variable, quantity.level);
  }
  return names;
}

}  // namespace

void require_same_axes(const InitTimeSums& a, const InitTimeSums& b) {
  require_axis(a.members == b.members, "numbers of members");
  require_axis(a.leads == b.leads, "lead times");
  require_axis(a.channels == b.channels, "channels");
  require_axis(a.regions == b.regions, "regions");
  require_axis(names_of(a.quantities) == names_of(b.quantities), "spectra");
  require_axis(names_of(a.by_degree.quantities) == names_of(b.by_degree.quantities) &&
                   a.by_degree.degrees == b.by_degree.degrees,
               "spectra by degree");
  require_axis(a.quantities.empty() || (a.bands == b.bands && a.wavenumbers == b.wavenumbers),
               "latitude bands or wavenumbers");
}

NetcdfDocument to_netcdf(const InitTimeSums& sums, const ScoreOptions& options) {
  require(sums.leads == options.leads && sums.channels == options.channels,
          "the sums of {} belong to other lead times or channels than the options",
          to_string(sums.initial_time));
  return document_of(std::span(&sums, 1));
}

std::vector<InitTimeSums> all_from_netcdf(const NetcdfDocument& document) {
  const InitTimeSums axes = read_axes(document);
  const auto& times = values_of<std::int64_t>(document, "init_time");
  const auto& scored = values_of<std::int32_t>(document, "scored");
  const auto& means = values_of<double>(document, "area_mean");
  const auto& ranks = values_of<double>(document, "rank_counts");
  const std::vector<double> none;
  const auto& spectra = axes.quantities.empty() ? none : values_of<double>(document, "zonal_energy_spectrum");
  const std::size_t leads = axes.leads.size();
  const std::size_t cells = leads * axes.channels.size() * axes.regions.size();
  const std::size_t waves =
      spectrum_kind_names.size() * leads * axes.quantities.size() * axes.bands.size() * axes.wavenumbers;
  const auto& by_degree = axes.by_degree.degrees == 0 ? none : values_of<double>(document, "degree_spectrum");
  const std::size_t degree_numbers =
      spectrum_kind_names.size() * leads * axes.by_degree.quantities.size() * axes.by_degree.degrees;
  require(scored.size() == times.size() * leads && by_degree.size() == times.size() * degree_numbers &&
              means.size() == times.size() * cells * kernels::statistic_count &&
              spectra.size() == times.size() * waves &&
              ranks.size() == times.size() * leads * axes.channels.size() * axes.rank_numbers(),
          ExitCode::corrupt_input, "the values of a file of sums do not fit its axes");
  std::vector<InitTimeSums> all(times.size(), axes);
  for (std::size_t t = 0; t < times.size(); ++t) {
    all[t].initial_time = {times[t]};
    for (std::size_t lead = 0; lead < leads; ++lead) {
      all[t].scored.push_back(scored[t * leads + lead] != 0 ? 1 : 0);
    }
    all[t].means.resize(cells);
    for (std::size_t cell = 0; cell < cells; ++cell) {
      const std::size_t begin = (t * cells + cell) * kernels::statistic_count;
      std::copy_n(means.data() + begin, kernels::statistic_count, all[t].means[cell].begin());
    }
    const double* first_wave = spectra.data() + t * waves;
    all[t].spectra.assign(first_wave, first_wave + waves);
    const double* first_degree = by_degree.data() + t * degree_numbers;
    all[t].by_degree.values.assign(first_degree, first_degree + degree_numbers);
    const std::size_t counts = leads * axes.channels.size() * axes.rank_numbers();
    all[t].ranks.assign(ranks.data() + t * counts, ranks.data() + (t + 1) * counts);
  }
  return all;
}

InitTimeSums from_netcdf(const NetcdfDocument& document) {
  std::vector<InitTimeSums> all = all_from_netcdf(document);
  require(all.size() == 1, ExitCode::corrupt_input, "a file of sums has {} initial times instead of one",
          all.size());
  return std::move(all.front());
}

NetcdfDocument merge_sums(const std::vector<NetcdfDocument>& documents) {
  std::vector<InitTimeSums> all;
  for (const NetcdfDocument& document : documents) {
    for (InitTimeSums& sums : all_from_netcdf(document)) {
      all.push_back(std::move(sums));
    }
  }
  require(!all.empty(), ExitCode::corrupt_input, "there are no sums to merge");
  std::sort(all.begin(), all.end(),
            [](const InitTimeSums& a, const InitTimeSums& b) { return a.initial_time < b.initial_time; });
  for (std::size_t t = 1; t < all.size(); ++t) {
    require_same_axes(all[0], all[t]);
    require(all[t - 1].initial_time != all[t].initial_time, ExitCode::corrupt_input,
            "initial time {} occurs twice among the sums; remove one of its files",
            to_string(all[t].initial_time));
  }
  return document_of(all);
}

}  // namespace mosaic::eval

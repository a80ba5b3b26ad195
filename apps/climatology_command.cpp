#include "apps/climatology_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "apps/command_line.hpp"
#include "base/error.hpp"
#include "base/time.hpp"
#include "parallel/agree.hpp"
#include "stores/netcdf_probe.hpp"

namespace mosaic {
namespace {

using eval::ClimatologyStatistic;

constexpr const char* what_it_computes = R"(Definitions (those of WeatherBench 2 and xarray)
  By hour of the day. Years are stacked on dayofyear 1 ... 366; dayofyear 366 of a year without it is its
  dayofyear 365. Statistics over all years and the days of a window around the day; the year is periodic.
  Weights are triangular, from 0 to 1 and back to 0, divided by their mean: the ends weigh 0.
    mean      VAR           sum w x / sum w
    std       VAR_std       sqrt(sum w (x - mean)^2 / sum w), of the population
    quantile  VAR_quantile  weighted, linear (type 7) with Kish's effective sample size
    seeps     VAR_seeps_threshold: quantile 2/3 of the x that are not dry; VAR_seeps_dry_fraction: part of
              the x that are dry, without weights, the ends included. Dry: below 0.25 mm in
              total_precipitation_24hr, below 0.1 mm in total_precipitation_6hr.
  Missing values (NaN) are left out and the weights of the others count; a day without any value is NaN.
Examples
  mosaic_data climatology era5.zarr climatology.zarr --years 1990-2019
  mpirun -n 16 mosaic_data climatology era5.zarr climatology.zarr --quantiles 0.1,0.5,0.9 --memory 6)";

/// 1990-2019, or 2019 alone. Errors: usage, quoting the text.
std::pair<int, int> parse_years(const std::string& text) {
  const std::size_t dash = std::min(text.find('-'), text.size());
  const auto year = [&](std::size_t from, std::size_t to) {
    int value = 0;
    const auto [end, problem] = std::from_chars(text.data() + from, text.data() + to, value);
    require(problem == std::errc{} && end == text.data() + to && value >= 1 && value <= 9998, ExitCode::usage,
            "--years {}: is not FIRST-LAST, for example 1990-2019", text);
    return value;
  };
  const int first = year(0, dash);
  const int last = dash == text.size() ? first : year(dash + 1, text.size());
  require(first <= last, ExitCode::usage, "--years {}: ends before it begins", text);
  return {first, last};
}

}  // namespace

ClimatologyCommand::ClimatologyCommand(CLI::App& program)
    : command_(program.add_subcommand("climatology",
                                      "Mean, deviation and quantiles by day of the year, in parallel")) {
  CLI::App& command = *command_;
  options_.threads = 1;
  command.add_option("INPUT", input_, "Zarr store, NetCDF file, pattern or list of files")->required();
  command.add_option("OUTPUT", output_, "The Zarr store to write; must not exist")->required();
  CLI::Option* years = command.add_option("--years", years_, "FIRST-LAST; default: all that INPUT has");
  command.add_option("--start", start_, "First time (ISO-8601); the rest of its year counts as missing")
      ->excludes(years);
  command.add_option("--end", end_, "Last time, a day to its end; the rest of its year counts as missing")
      ->excludes(years);
  command.add_option("--hours", hours_, "Hours of the day, 0 ... 23; default: all that INPUT has")
      ->delimiter(',')
      ->check(CLI::Range(0, 23));
  command.add_option("--variables", variables_, "WeatherBench names; default: all by time")->delimiter(',');
  command.add_option("--channels", channels_, "VARIABLE_LEVEL, or VARIABLE without levels")->delimiter(',');
  command
      .add_option("--statistics", statistics_,
                  "mean, std, quantile, seeps; default: mean and std, quantile with --quantiles, seeps where "
                  "there is precipitation of 24 or 6 hours")
      ->delimiter(',')
      ->check(CLI::IsMember({"mean", "std", "quantile", "seeps"}));
  command.add_option("--quantiles", quantiles_, "Probabilities, for example 0.1,0.5,0.9")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 1.0));
  command.add_option("--window", window_, "Days, odd")->check(CLI::Range(1, 365))->capture_default_str();
  command.add_flag("--allow-missing", allow_missing_, "Leave out times that INPUT has not");
  command.add_option("--member", options_.member, "Which member, if INPUT has several");
  command.add_option("--memory", memory_, "GiB for each rank; with less, INPUT is read more often")
      ->check(CLI::Range(1e-6, 1e6))
      ->capture_default_str();
  command.add_option("--threads", options_.threads, "Of each rank")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command.footer(what_it_computes);
}

eval::ClimatologyRequest ClimatologyCommand::request() const {
  static const std::map<std::string, ClimatologyStatistic> names = {
      {"mean", ClimatologyStatistic::mean},
      {"std", ClimatologyStatistic::deviation},
      {"quantile", ClimatologyStatistic::quantile},
      {"seeps", ClimatologyStatistic::seeps}};
  require(window_ % 2 == 1, ExitCode::usage, "--window {}: must be odd, so that it has a middle day",
          window_);
  eval::ClimatologyRequest request;
  request.input = input_;
  request.output = output_;
  request.options = options_;
  request.hours = hours_;
  request.variables = variables_;
  request.channels = channels_;
  request.window = static_cast<std::size_t>(window_);
  request.quantiles = quantiles_;
  std::sort(request.quantiles.begin(), request.quantiles.end());
  request.quantiles.erase(std::unique(request.quantiles.begin(), request.quantiles.end()),
                          request.quantiles.end());
  request.allow_missing = allow_missing_;
  constexpr double gibibyte = 1024.0 * 1024.0 * 1024.0;
  request.memory = memory_ * gibibyte;
  if (!statistics_.empty()) {
    request.seeps_if_possible = false;
    request.statistics.clear();
    for (const std::string& name : statistics_) {
      request.statistics.insert(names.at(name));
    }
    require(request.statistics.contains(ClimatologyStatistic::quantile) == !quantiles_.empty(),
            ExitCode::usage, "quantile among --statistics and --quantiles belong together");
  }
  if (!years_.empty()) {
    const auto [first, last] = parse_years(years_);
    request.first = parse_time(fmt::format("{:04d}-01-01", first));
    request.last = parse_last(fmt::format("{:04d}-12-31", last));
  }
  if (!start_.empty()) {
    request.first = parse_time(start_);
  }
  if (!end_.empty()) {
    request.last = parse_last(end_);
  }
  return request;
}

int ClimatologyCommand::run(const Comm& comm) const {
  agree(comm, [&] {
    if (comm.rank() == 0) {
      probe_netcdf(input_, options_);
    }
  });
  const eval::ClimatologyOutcome outcome = eval::compute_climatology(request(), comm);
  if (outcome.stopped) {
    if (comm.rank() == 0) {
      fmt::print(stderr, "stopped by a signal; {} was not made\n", output_);
    }
    return static_cast<int>(ExitCode::stopped_early);
  }
  if (comm.rank() == 0) {
    fmt::print("{}: {} channels at {} hours, years {}-{}, {} fields in {} passes\n", output_,
               outcome.contents.channels.size(), outcome.contents.hours.size(),
               outcome.contents.years.front(), outcome.contents.years.back(), outcome.states, outcome.passes);
    fmt::print("seconds of rank 0: reading {:.2f}, computing {:.2f}, writing {:.2f}\n", outcome.read_seconds,
               outcome.compute_seconds, outcome.write_seconds);
    if (outcome.contents.missing_times > 0) {
      fmt::print("left out: {} times that are not in {}\n", outcome.contents.missing_times, input_);
    }
  }
  return static_cast<int>(ExitCode::complete);
}

}  // namespace mosaic

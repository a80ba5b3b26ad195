#include "apps/statistics_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "base/time.hpp"
#include "eval/state_statistics.hpp"
#include "parallel/agree.hpp"
#include "stores/netcdf_probe.hpp"
#include "stores/npz_writer.hpp"

namespace mosaic {
namespace {

std::vector<double> means_of(const std::vector<eval::Moments>& moments) {
  std::vector<double> values;
  std::transform(moments.begin(), moments.end(), std::back_inserter(values),
                 [](const eval::Moments& m) { return m.mean; });
  return values;
}

std::vector<double> deviations_of(const std::vector<eval::Moments>& moments) {
  std::vector<double> values;
  std::transform(moments.begin(), moments.end(), std::back_inserter(values),
                 [](const eval::Moments& m) { return m.deviation(); });
  return values;
}

/// The layout of the published normalisation statistics, and the names of the channels.
void write(const std::string& path, const eval::StateStatistics& statistics) {
  std::vector<NpzVector> vectors = {{"state_mean", means_of(statistics.state), {}},
                                    {"state_std", deviations_of(statistics.state), {}}};
  if (!statistics.residual.empty()) {
    vectors.push_back({"residual_mean", means_of(statistics.residual), {}});
    vectors.push_back({"residual_std", deviations_of(statistics.residual), {}});
  }
  NpzVector names{"channels", {}, {}};
  for (const Channel& channel : statistics.channels) {
    names.texts.push_back(channel.name());
  }
  vectors.push_back(std::move(names));
  write_npz(path, vectors);
}

}  // namespace

StatisticsCommand::StatisticsCommand(CLI::App& program)
    : command_(program.add_subcommand(
          "statistics", "Mean and deviation of every channel, for normalisation, in parallel")) {
  CLI::App& command = *command_;
  options_.threads = 1;
  command.add_option("INPUT", input_, "Zarr store, NetCDF file, pattern or list of files")->required();
  command.add_option("OUTPUT", output_, "The .npz file to write; must not exist")->required();
  command.add_option("--step", step_, "Also of the differences over this time, for example 24h");
  command.add_option("--start", start_, "First time (ISO-8601); default: all times");
  command.add_option("--end", end_, "Last time");
  command
      .add_option(
          "--channels", channels_,
          "VARIABLE_LEVEL, or VARIABLE, in this order; default: the 82 of Mosaic if INPUT has them, else "
          "all")
      ->delimiter(',');
  command.add_option("--member", options_.member, "Which member, if INPUT has several");
  command.add_option("--threads", options_.threads, "Of each rank")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command.footer(
      "state_mean, state_std: of x(t) over all times and points; residual_mean, residual_std: of\n"
      "x(t + step) - x(t). Points of the grid count alike, as in the published statistics (no weights of\n"
      "area); the deviation is that of the population; missing values (NaN) are left out. channels: names.\n"
      "Example: mpirun -n 8 mosaic_data statistics era5.zarr norm_stats.npz --step 24h --end 2017-12-31T18");
}

int StatisticsCommand::run(const Comm& comm) const {
  eval::StateStatisticsRequest request;
  request.input = input_;
  request.options = options_;
  constexpr std::size_t chunk_cache = std::size_t{256} << 20;
  request.options.chunk_cache = chunk_cache;
  agree(comm, [&] {
    require(!std::filesystem::exists(output_), ExitCode::cannot_create,
            "{}: exists already; remove it or choose another name", output_);
    for (const std::string& name : channels_) {
      request.channels.push_back(parse_channel(name));
    }
    if (!step_.empty()) {
      request.step = parse_duration(step_);
    }
    if (!start_.empty()) {
      request.first = parse_time(start_);
    }
    if (!end_.empty()) {
      request.last = parse_time(end_);
    }
    if (comm.rank() == 0) {
      probe_netcdf(input_, options_);
    }
  });
  const eval::StateStatistics statistics = eval::compute_state_statistics(request, comm);
  if (comm.rank() == 0) {
    write(output_, statistics);
    fmt::print("{}: {} channels, {} times, {} differences\n", output_, statistics.channels.size(),
               statistics.times, statistics.differences);
  }
  return static_cast<int>(ExitCode::complete);
}

}  // namespace mosaic

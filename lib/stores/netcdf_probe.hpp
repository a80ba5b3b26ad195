#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "stores/climatology_store.hpp"
#include "stores/field_store.hpp"
#include "stores/forecast_store.hpp"

namespace mosaic {

struct ProbeLimits {
  double seconds = 120;                       ///< wall clock
  int cpu_seconds = 60;                       ///< of the child
  std::size_t memory = std::size_t{8} << 30;  ///< beyond what the program itself takes [bytes]
  double reading_seconds = 5;                 ///< after this no further state is read
  std::string program = "/proc/self/exe";     ///< whose main() calls run_netcdf_probe()
};

/// Tries a foreign NetCDF file (or pattern, or list) in a child process of limited memory and time before it
/// is opened here: some damaged files crash the NetCDF library or keep it busy for ever. The child opens
/// every file, reads all coordinates, and states in the order first, last, middle, quarters, ... while
/// reading_seconds last, so that small files are read whole. Nothing happens for a Zarr store.
///
/// The child is this program, started anew by posix_spawn: forking after MPI_Init is not safe (the child
/// would share registered memory and sockets of the MPI library), starting another program is, since nothing
/// of this process is touched between the two. One rank of a job is enough.
///
/// Errors: what opening or reading raises; corrupt_input naming the file and what happened if the child
/// crashed or reached a limit. Where no child can be started a warning is logged.
void probe_netcdf(const std::string& path, const FieldStoreOptions& options, const ProbeLimits& limits = {});

/// The same for what open_forecast_store() and ClimatologyStore take; thousands of files have more time.
/// Other formats than NetCDF are left alone. Errors: also missing_input where the path is of no file.
void probe_forecasts(const std::string& path, const ForecastStoreOptions& options,
                     const ProbeLimits& limits = {});
void probe_climatology(const std::string& path, const ClimatologyOptions& options,
                       const ProbeLimits& limits = {});
/// As whatever kind_of_store() says that it is.
void probe_store(const std::string& path, const ProbeLimits& limits = {});

/// The child's side: its exit code if these are the arguments of a probe. To be called first thing in
/// main(), before MPI and threads start.
std::optional<int> run_netcdf_probe(int argc, char** argv);

}  // namespace mosaic

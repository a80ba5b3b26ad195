#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "stores/netcdf_document.hpp"
#include "support/job.hpp"

namespace mosaic::test {

/// The program with this name of the build under test.
std::string program(const std::string& name);

/// Runs a command line of the shell; `meanwhile` gets the id of its process (and process group).
Job shell(const std::string& command, const std::function<void(pid_t)>& meanwhile = {});

/// "mpiexec ... -n ranks ", or nothing for 0 ranks: without a launcher.
std::string launcher(int ranks);

/// The command of a hindcast of the demonstration's state with initial times up to `end`.
std::string hindcast(int ranks, const std::filesystem::path& out, const std::string& arguments,
                     const std::string& end = "2011-10-11T12");

/// Arguments for a hindcast of persistence, two days long or as long as asked for.
inline std::string persistence_for(const std::string& lead_time) {
  return "--set model.name=persistence --set model.weights= --lead-time " + lead_time + " ";
}
inline const std::string persistence = persistence_for("2d");

/// The first difference of two files in values (bits, NaN included), or an empty text.
std::string first_difference(const std::filesystem::path& a, const std::filesystem::path& b);

/// Merged sums, metrics, spectra and forecasts of folder `a` are there in `b`, with the same bits.
void expect_same_results(const std::filesystem::path& a, const std::filesystem::path& b);

/// Initial times that a run which is not complete has committed to the folder `out`.
std::size_t count_committed(const std::filesystem::path& out);

/// Waits until there are `count` of them, a minute at most.
void wait_for_commits(const std::filesystem::path& out, std::size_t count);

}  // namespace mosaic::test

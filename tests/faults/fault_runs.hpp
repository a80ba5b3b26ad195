#pragma once

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "end_to_end/hindcast_runs.hpp"

namespace mosaic::test {

/// MOSAIC_FULL, set by tests/run.sh --full: everything in place of a subset.
bool full_run();

/// "fake_hindcast --out FOLDER ARGUMENTS".
std::string fake_hindcast(const std::filesystem::path& out, const std::string& arguments);

/// What a preloaded io_fault_shim lets fail.
struct IoFault {
  std::string kind;        ///< see io_fault_shim.cpp; empty = count only
  std::string file_class;  ///< empty = any
  long number = 1;
  int error = 0;            ///< errno; 0 = a short write
  std::optional<int> rank;  ///< absent = every process
  bool lasts = false;
};

/// "env LD_PRELOAD=... ", to stand between a launcher and the program.
std::string with_io_fault(const IoFault& fault, const std::filesystem::path& out,
                          const std::filesystem::path& report);

/// Number of initial times that a run took over, as it says; -1 if it does not say.
int resumed_count(const std::string& output);

/// Reads every file with a final name in a folder, again and again, until it is destroyed: each must be whole
/// at any moment. Files may disappear.
class WatchingReader {
 public:
  explicit WatchingReader(std::filesystem::path folder);
  ~WatchingReader();
  WatchingReader(const WatchingReader&) = delete;
  WatchingReader& operator=(const WatchingReader&) = delete;

  /// Ends the reading. What could not be read, and why.
  std::vector<std::string> finish();
  std::size_t files_read() const { return files_read_; }

 private:
  void read_all();

  std::filesystem::path folder_;
  std::vector<std::string> problems_;
  std::atomic<std::size_t> files_read_{0};
  std::jthread thread_;
};

}  // namespace mosaic::test

#include "faults/fault_runs.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic::test {

namespace fs = std::filesystem;

bool full_run() {
  const char* value = std::getenv("MOSAIC_FULL");
  return value != nullptr && *value != '\0' && std::string(value) != "0";
}

std::string fake_hindcast(const fs::path& out, const std::string& arguments) {
  return program("fake_hindcast") + " --out " + out.string() + " " + arguments;
}

std::string with_io_fault(const IoFault& fault, const fs::path& out, const fs::path& report) {
  std::string text = fmt::format("env LD_PRELOAD={} IO_FAULT_FOLDER={} IO_FAULT_REPORT={} ",
                                 program("io_fault_shim.so"), out.string(), report.string());
  if (!fault.kind.empty()) {
    text += fmt::format("IO_FAULT_KIND={} IO_FAULT_CLASS='{}' IO_FAULT_NUMBER={} IO_FAULT_ERROR={} ",
                        fault.kind, fault.file_class, fault.number, fault.error);
  }
  if (fault.rank) {
    text += fmt::format("IO_FAULT_RANK={} ", *fault.rank);
  }
  return text + (fault.lasts ? "IO_FAULT_LASTS=1 " : "");
}

int resumed_count(const std::string& output) {
  const std::size_t end = output.find(" resumed)");
  const std::size_t begin = output.rfind('(', end);
  return end == std::string::npos ? -1 : std::atoi(output.c_str() + begin + 1);
}

WatchingReader::WatchingReader(fs::path folder)
    : folder_(std::move(folder)), thread_([this](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          read_all();
          std::this_thread::sleep_for(std::chrono::milliseconds(15));
        }
      }) {}

WatchingReader::~WatchingReader() = default;

std::vector<std::string> WatchingReader::finish() {
  thread_.request_stop();
  thread_.join();
  return problems_;
}

void WatchingReader::read_all() {
  for (const char* place : {"", "sums", "forecasts"}) {
    std::error_code unimportant;
    for (fs::directory_iterator entry(folder_ / place, unimportant), end; entry != end;
         entry.increment(unimportant)) {
      const fs::path file = entry->path();
      if (file.extension() != ".nc") {
        continue;
      }
      try {
        read_netcdf(file.string());
        ++files_read_;
      } catch (const Error& problem) {
        if (problem.code() != ExitCode::missing_input) {
          problems_.emplace_back(problem.what());
        }
      }
    }
  }
}

}  // namespace mosaic::test

#include "base/machine.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <fstream>

namespace mosaic {

namespace {

/// The text after "name :" in /proc/cpuinfo, first processor.
std::string cpuinfo(const std::string& name) {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    const auto colon = line.find(':');
    if (line.starts_with(name) && colon != std::string::npos) {
      return line.substr(std::min(colon + 2, line.size()));
    }
  }
  return "unknown";
}

std::string instruction_set() {
  const std::string flags = " " + cpuinfo("flags") + " ";
  std::string found;
  for (const char* flag : {"avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "amx_tile"}) {
    if (flags.find(" " + std::string(flag) + " ") != std::string::npos) {
      found += (found.empty() ? "" : " ") + std::string(flag);
    }
  }
  return found.empty() ? "baseline" : found;
}

std::uint64_t status_bytes(const std::string& name) {
  std::ifstream file("/proc/self/status");
  std::string word;
  while (file >> word) {
    if (word == name) {
      std::uint64_t kibibytes = 0;
      file >> kibibytes;
      return kibibytes * 1024;
    }
  }
  return 0;
}

}  // namespace

std::map<std::string, std::string> machine_identity() {
  std::string environment;
  for (const char* name : {"MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "MKL_DYNAMIC", "ONEDNN_MAX_CPU_ISA",
                           "ONEDNN_DEFAULT_FPMATH_MODE", "ATEN_CPU_CAPABILITY", "OMP_DYNAMIC"}) {
    if (const char* value = std::getenv(name)) {
      environment += std::string(environment.empty() ? "" : " ") + name + "=" + value;
    }
  }
  return {{"cpu", cpuinfo("model name")},
          {"instruction_set", instruction_set()},
          {"math_environment", environment}};
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::uint64_t resident_bytes() { return status_bytes("VmRSS:"); }
std::uint64_t peak_resident_bytes() { return status_bytes("VmHWM:"); }

bool reset_peak_resident_bytes() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5" << std::flush;
  return file.good();
}

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double load_average() {
  double minute = 0;
  return getloadavg(&minute, 1) == 1 ? minute : 0;
}

}  // namespace mosaic

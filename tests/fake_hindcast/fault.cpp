#include "fake_hindcast/fault.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <vector>

#include "base/error.hpp"

namespace mosaic::test {

namespace {

/// A write to a page that must not be written.
void write_to_forbidden_page() {
  void* page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  require(page != MAP_FAILED, "mmap failed");
  *static_cast<volatile char*>(page) = 1;
}

/// Takes all the memory that a limit a little above the present size allows; std::bad_alloc ends it.
void take_all_memory() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlim_t size = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const rlimit limit{size + (64U << 20), RLIM_INFINITY};
  require(setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit failed");
  constexpr std::size_t piece = 1 << 20;
  std::vector<std::unique_ptr<char[]>> taken;
  for (std::size_t i = 0; i < 4096; ++i) {
    taken.push_back(std::make_unique<char[]>(piece));
  }
  fail(ExitCode::internal, "4 GiB were there in spite of a limit of {} bytes", limit.rlim_cur);
}

}  // namespace

FaultKind parse_fault(const std::string& name) {
  const std::pair<const char*, FaultKind> kinds[] = {{"none", FaultKind::none},
                                                     {"exception", FaultKind::exception},
                                                     {"segv", FaultKind::segmentation_fault},
                                                     {"sigkill", FaultKind::kill},
                                                     {"oom", FaultKind::out_of_memory},
                                                     {"non-finite", FaultKind::non_finite}};
  for (const auto& [known, kind] : kinds) {
    if (name == known) {
      return kind;
    }
  }
  fail(ExitCode::usage, "--fault {}: exception, segv, sigkill, oom or non-finite", name);
}

void commit_fault(FaultKind kind, std::span<float> values) {
  switch (kind) {
    case FaultKind::none:
      return;
    case FaultKind::exception:
      throw std::runtime_error("the null model was told to fail");
    case FaultKind::segmentation_fault:
      return write_to_forbidden_page();
    case FaultKind::kill:
      kill(getpid(), SIGKILL);
      return;
    case FaultKind::out_of_memory:
      return take_all_memory();
    case FaultKind::non_finite:
      values.back() = std::numeric_limits<float>::quiet_NaN();
  }
}

}  // namespace mosaic::test

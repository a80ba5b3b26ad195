// A program that ends, or is ended, in the way that its first argument names.
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/error.hpp"
#include "parallel/comm.hpp"

namespace {

using mosaic::Comm;
using mosaic::ExitCode;

/// Says that all ranks are there, then waits for a signal for at most half a minute.
int wait_for_stop(const Comm& world) {
  world.barrier();
  if (world.rank() == 0) {
    std::puts("waiting");
    std::fflush(stdout);
  }
  for (int i = 0; i < 3000 && !mosaic::stop_requested(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return mosaic::stop_requested() ? static_cast<int>(ExitCode::stopped_early) : 1;
}

int body(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  const Comm world = Comm::world();
  const bool culprit = world.rank() == (world.size() > 1 ? 1 : 0);
  if (mode == "--help") {
    return 0;
  }
  if (mode == "error" && culprit) {
    mosaic::fail(ExitCode::missing_input, "input.zarr: variable {} is absent", "t2m");
  }
  if (mode == "exception" && culprit) {
    throw std::runtime_error("surprise");
  }
  if (mode == "unknown" && culprit) {
    throw 42;
  }
  if (mode == "agree") {
    const int code = static_cast<int>(ExitCode::bad_configuration);
    world.require_agreement(code, culprit ? "a.yaml: is wrong" : "");
  }
  if (mode == "counter") {
    mosaic::WorkCounter counter(world);
    if (counter.next() == 2) {
      mosaic::fail(ExitCode::corrupt_input, "unit 2 is corrupt");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    counter.next();
  }
  if (mode == "code") {
    return culprit ? static_cast<int>(ExitCode::partly_failed) : 0;
  }
  if (mode == "wait") {
    return wait_for_stop(world);
  }
  world.barrier();  // where the others wait for a rank that failed
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return mosaic::run_app(argc, argv, body); }

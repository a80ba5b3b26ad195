#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "base/time.hpp"

namespace mosaic {

/// Progress of a run on stderr, from one rank: a bar on a terminal, otherwise one log line every interval.
class Progress {
 public:
  /// `done` counts what is finished of `total` items; it is asked at most once per interval (terminal: per
  /// second).
  Progress(std::size_t total, Duration interval, std::function<std::size_t()> done,
           std::string items = "initial times");
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Call often; prints when it is time.
  void tick();

 private:
  using Clock = std::chrono::steady_clock;
  void print(std::size_t done);

  std::size_t total_;
  std::size_t done_at_start_;
  Clock::duration interval_;
  std::function<std::size_t()> done_;
  std::string items_;
  bool terminal_;
  bool bar_drawn_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
};

}  // namespace mosaic

#include "campaign/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "base/log.hpp"

namespace mosaic {

namespace {

std::string clock_text(double seconds) {
  const auto s = static_cast<long>(std::max(seconds, 0.0));
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

}  // namespace

Progress::Progress(std::size_t total, Duration interval, std::function<std::size_t()> done, std::string items)
    : total_(total),
      interval_(std::chrono::seconds(interval.seconds)),
      done_(std::move(done)),
      items_(std::move(items)),
      terminal_(isatty(STDERR_FILENO) == 1) {
  done_at_start_ = done_();
  if (terminal_) {
    interval_ = std::chrono::seconds(1);
  }
}

Progress::~Progress() {
  if (bar_drawn_) {
    std::fputc('\n', stderr);
  }
}

void Progress::tick() {
  if (Clock::now() - last_ >= interval_) {
    last_ = Clock::now();
    print(done_());
  }
}

void Progress::print(std::size_t done) {
  const double elapsed = std::chrono::duration<double>(last_ - start_).count();
  const double rate = static_cast<double>(done - std::min(done, done_at_start_)) / elapsed;
  std::string numbers = fmt::format("{}/{} {}, {} elapsed", done, total_, items_, clock_text(elapsed));
  if (rate > 0) {
    numbers += fmt::format(", {:.3g} per minute, {} left", 60 * rate,
                           clock_text(static_cast<double>(total_ - done) / rate));
  }
  if (!terminal_) {
    log_info("{}", numbers);
    return;
  }
  constexpr std::size_t width = 24;
  const std::size_t filled = total_ == 0 ? width : width * done / total_;
  fmt::print(stderr, "\r[{}{}] {}\x1b[K", std::string(filled, '#'), std::string(width - filled, '.'),
             numbers);
  std::fflush(stderr);
  bar_drawn_ = true;
}

}  // namespace mosaic

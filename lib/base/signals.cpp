#include "base/signals.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/error.hpp"

namespace mosaic {

namespace {

std::atomic<bool> stop_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free, "only a lock-free flag may be set in a signal handler");

extern "C" void on_stop_signal(int) {
  if (stop_flag.exchange(true)) {
    _exit(static_cast<int>(ExitCode::stopped_early));
  }
}

void handle(int signal_number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;  // a read or write under way goes on: the flag is looked at between steps
  sigemptyset(&action.sa_mask);
  require(sigaction(signal_number, &action, nullptr) == 0, "cannot install a handler for signal {}: {}",
          signal_number, std::strerror(errno));
}

}  // namespace

void install_stop_handlers() {
  for (const int stop : {SIGTERM, SIGINT, SIGUSR1, SIGHUP}) {
    handle(stop, on_stop_signal);
  }
  for (const int ignored : {SIGPIPE, SIGCONT}) {
    handle(ignored, SIG_IGN);
  }
}

bool stop_requested() { return stop_flag.load(); }

}  // namespace mosaic

#include "base/signals.hpp"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/error.hpp"

namespace mosaic {

namespace {

using Clock = std::chrono::steady_clock;

std::atomic<bool> stop_flag{false};
std::atomic<Clock::time_point> stop_time{Clock::time_point::max()};
std::atomic<pid_t> mpirun{0};  ///< the process that started this one, if it is Open MPI's mpirun
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free,
              "only lock-free values may be used in a signal handler");

/// Open MPI's mpirun, or its daemon on another host, is the parent of its ranks.
pid_t find_mpirun() { return std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr ? getppid() : 0; }

extern "C" void end_stopped(int) { _exit(static_cast<int>(ExitCode::stopped_early)); }

extern "C" void on_stop_signal(int signal_number, siginfo_t* info, void*) {
  if (stop_flag.exchange(true)) {
    end_stopped(signal_number);
  }
  if (signal_number == SIGTERM && mpirun != 0 && info->si_pid == mpirun) {
    // Another rank may have failed: whoever waits for it waits for ever.
    itimerval patience = {};
    patience.it_value.tv_usec = 500'000;  // half of what mpirun leaves before SIGKILL
    setitimer(ITIMER_REAL, &patience, nullptr);
  }
}

void install(int signal_number, struct sigaction action) {
  sigemptyset(&action.sa_mask);
  const int result = sigaction(signal_number, &action, nullptr);
  require(result == 0, "cannot install a handler for signal {}: {}", signal_number, std::strerror(errno));
}

void handle(int signal_number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  install(signal_number, action);
}

}  // namespace

void install_stop_handlers() {
  mpirun = find_mpirun();
  struct sigaction stop = {};
  stop.sa_sigaction = on_stop_signal;
  // A read or write under way goes on: the flag is looked at between steps.
  stop.sa_flags = SA_RESTART | SA_SIGINFO;
  for (const int stop_signal : {SIGTERM, SIGINT, SIGUSR1, SIGHUP}) {
    install(stop_signal, stop);
  }
  for (const int ignored : {SIGPIPE, SIGCONT, SIGXFSZ}) {
    handle(ignored, SIG_IGN);
  }
  handle(SIGALRM, end_stopped);
}

void let_sigterm_end_the_process() { handle(SIGTERM, SIG_DFL); }

void stop_after(Duration walltime) { stop_time = Clock::now() + std::chrono::seconds(walltime.seconds); }

bool stop_requested() { return stop_flag.load() || Clock::now() >= stop_time.load(); }

double seconds_until_stop() {
  const Clock::time_point stop = stop_time.load();
  return stop == Clock::time_point::max() ? std::numeric_limits<double>::infinity()
                                          : std::chrono::duration<double>(stop - Clock::now()).count();
}

}  // namespace mosaic

#pragma once

#include "base/time.hpp"

namespace mosaic {

/// Makes SIGTERM, SIGINT, SIGUSR1 and SIGHUP set a flag that stop_requested() reads, and ignores SIGPIPE,
/// SIGCONT and SIGXFSZ (a file beyond the limit of its size is an error of write). The second stop signal
/// ends the process at once with ExitCode::stopped_early (75), without cleaning up. To be called first thing
/// in main; calling it again changes nothing. Open MPI's mpirun sends SIGTERM to its ranks when it was
/// stopped itself and when another rank has failed, and SIGKILL later (odls_base_sigkill_timeout, 1 s by
/// default): after SIGTERM from mpirun the process ends with 75 if it still runs half a second later. Errors:
/// internal, with the system's reason.
void install_stop_handlers();

/// For the end of a process that failed: SIGTERM, which the launcher then sends, ends it at once.
void let_sigterm_end_the_process();

/// Makes this moment plus `walltime` a stop request of its own.
void stop_after(Duration walltime);

/// True once a stop signal has arrived in this process, or the time of stop_after() is over.
bool stop_requested();

/// Until the time of stop_after(); infinite without it. [s]
double seconds_until_stop();

}  // namespace mosaic

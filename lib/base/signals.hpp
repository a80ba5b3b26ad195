#pragma once

namespace mosaic {

/// Makes SIGTERM, SIGINT, SIGUSR1 and SIGHUP set a flag that stop_requested() reads, and ignores SIGPIPE and
/// SIGCONT. The second stop signal ends the process at once with ExitCode::stopped_early (75), without
/// cleaning up. To be called first thing in main; calling it again changes nothing. Errors: internal, with
/// the system's reason.
void install_stop_handlers();

/// True once a stop signal has arrived in this process.
bool stop_requested();

}  // namespace mosaic

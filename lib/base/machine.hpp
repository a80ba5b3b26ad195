#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace mosaic {

/// What of this machine can change the bits of a result: cpu (model name), instruction_set, and the
/// environment variables that steer math libraries, as they are set (math_environment).
std::map<std::string, std::string> machine_identity();

/// This host's name.
std::string host_name();

/// Bytes of this process in memory: now, and at most so far. 0 where the system does not tell.
std::uint64_t resident_bytes();
std::uint64_t peak_resident_bytes();

/// Lets peak_resident_bytes() count from now on. False where the system does not allow it.
bool reset_peak_resident_bytes();

/// Seconds of processor time that all threads of this process have had.
double processor_seconds();

/// Processes that ran or waited for a processor, averaged over the last minute; 0 where unknown.
double load_average();

}  // namespace mosaic

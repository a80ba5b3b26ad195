#pragma once

#include <span>
#include <string>

namespace mosaic::test {

enum class FaultKind { none, exception, segmentation_fault, kill, out_of_memory, non_finite };

/// exception, segv, sigkill, oom, non-finite. Errors: usage.
FaultKind parse_fault(const std::string& name);

/// Where in a run the model fails, once.
struct Fault {
  FaultKind kind = FaultKind::none;  ///< on this rank
  int step = 0;                      ///< counted from 0
};

/// Does what the kind says: throws, ends the process, or puts a NaN at the end of `values`.
void commit_fault(FaultKind kind, std::span<float> values);

}  // namespace mosaic::test

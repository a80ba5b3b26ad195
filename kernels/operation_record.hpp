#pragma once

#include <chrono>
#include <map>
#include <string>

namespace mosaic::kernels {

/// Time and arithmetic of one class of operations.
struct OperationTotals {
  double seconds = 0;
  double operations = 0;  ///< floating-point operations of the matrix products, counted from their shapes
  long calls = 0;
};

/// While it lives, collects the totals of every OperationScope of this thread. Not nested.
class OperationRecord {
 public:
  OperationRecord();
  ~OperationRecord();
  OperationRecord(const OperationRecord&) = delete;
  OperationRecord& operator=(const OperationRecord&) = delete;

  const std::map<std::string, OperationTotals>& totals() const { return totals_; }

 private:
  friend class OperationScope;
  std::map<std::string, OperationTotals> totals_;
};

/// Adds the time of its life and `operations` to the record of this thread, if there is one. Scopes are
/// leaves: they must not contain one another.
class OperationScope {
 public:
  OperationScope(const char* name, double operations);
  ~OperationScope();
  OperationScope(const OperationScope&) = delete;
  OperationScope& operator=(const OperationScope&) = delete;

 private:
  const char* name_;
  double operations_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace mosaic::kernels

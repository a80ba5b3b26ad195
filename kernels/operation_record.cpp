#include "kernels/operation_record.hpp"

#include "base/error.hpp"

namespace mosaic::kernels {

namespace {
thread_local OperationRecord* active_record = nullptr;
}

OperationRecord::OperationRecord() {
  require(active_record == nullptr, "two operation records on one thread");
  active_record = this;
}

OperationRecord::~OperationRecord() { active_record = nullptr; }

OperationScope::OperationScope(const char* name, double operations)
    : name_(name), operations_(operations), start_(std::chrono::steady_clock::now()) {}

OperationScope::~OperationScope() {
  if (active_record == nullptr) {
    return;
  }
  OperationTotals& totals = active_record->totals_[name_];
  totals.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  totals.operations += operations_;
  ++totals.calls;
}

}  // namespace mosaic::kernels

#pragma once

#include <functional>

#include "parallel/comm.hpp"

namespace mosaic {

/// Keeps the ranks of a group on the same way through an initial time: after each part of the work all of
/// them know whether it went well everywhere and whether one of them was asked to stop.
class GroupAgreement {
 public:
  /// `stop_at_errors`: an Error ends the job, so that the rank that meets it throws at once and need not tell
  /// the others; else all ranks throw it alike and can go on together.
  GroupAgreement(Comm group, bool stop_at_errors);

  const Comm& group() const { return group_; }

  /// Runs `action`. False, on all ranks, once one of them was asked to stop. Errors: those of the action; of
  /// several ranks' that of the lowest. Collective.
  bool all_well(const std::function<void()>& action) const;

 private:
  Comm group_;
  bool stop_at_errors_;
};

}  // namespace mosaic

#pragma once

// The order in which the two branches of `attend` go over a block list. Plain C++: the kernels and a float64
// evaluation on the host run the same lines.

#include "kernels/device/both_sides.hpp"

namespace mosaic::kernels {

/// A list holds the blocks of both branches, then those of the local run only, then those of the selection
/// only, without gaps; each group may be empty. Calls of `work`:
///   count(group)           blocks of a group
///   multiply(first, last)  goes on with the softmax over the list's blocks first ... last - 1
///   park()                 keeps the state of the softmax aside, too
///   close_local()          the state is the local branch's: keeps its result and takes up the parked state
///   close_selected()       the state is the selected branch's
/// One call of multiply in a loop, so that its code is there once.
template <class Work>
MOSAIC_ON_BOTH_SIDES void walk_list(Work& work) {
  unsigned first = 0;
#include "kernels/device/both_sides.hpp"
  for (unsigned group = 0; group < 3; ++group) {
    const unsigned last = first + work.count(group);
    work.multiply(first, last);
    if (group == 0) {
      work.park();
    } else if (group == 1) {
      work.close_local();
    } else {
      work.close_selected();
    }
    first = last;
  }
}

}  // namespace mosaic::kernels

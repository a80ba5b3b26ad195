#pragma once

#include <cstddef>
#include <vector>

#include "base/time.hpp"

namespace mosaic::world {

/// Spectra of many members side by side: [rows (m slowest, n = m ... N), 2 (real, imaginary), levels,
/// members]; harmonics with mean |Y|^2 = 1 and without the Condon-Shortley sign.
using Spectra = std::vector<double>;

/// Members at their own times. The potential vorticity is the whole state: a restart from it has the same
/// bits.
struct WorldState {
  std::vector<Time> times;  ///< [members]
  Spectra q;                ///< relative potential vorticity [s-1]

  std::size_t members() const { return times.size(); }
};

}  // namespace mosaic::world

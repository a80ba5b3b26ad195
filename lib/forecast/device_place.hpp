#pragma once

#include "parallel/comm.hpp"

namespace mosaic {

/// A rank among those of its host, for models that run on GPUs.
struct DevicePlace {
  int rank_on_node = 0;  ///< which visible GPU it takes, modulo how many there are
  int sharing = 1;       ///< ranks of the host that take the same GPU
};

/// Collective. Ranks that see no GPU share nothing.
DevicePlace find_device_place(const Comm& world);

}  // namespace mosaic

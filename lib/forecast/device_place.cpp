#include "forecast/device_place.hpp"

#include <algorithm>
#include <string>

#include "kernels/device/device_choice.hpp"

namespace mosaic {

DevicePlace find_device_place(const Comm& world) {
  const Comm node = world.node();
  std::string why;
  const auto visible = kernels::visible_devices(&why);
  // By identity: each of several ranks may see one device only, its own or the same.
  const std::string mine = visible.empty() ? "" : kernels::device_of_rank(visible, why, node.rank()).uuid;
  const auto all = node.all_gather(mine);
  return {node.rank(), mine.empty() ? 1 : static_cast<int>(std::count(all.begin(), all.end(), mine))};
}

}  // namespace mosaic

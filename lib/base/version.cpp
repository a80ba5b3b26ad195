#include "base/version.hpp"

#include <fmt/format.h>

namespace mosaic {

std::string version_text() {
  return fmt::format("Mosaic {} (revision {}), {}, {}, libtorch {}", MOSAIC_VERSION, MOSAIC_REVISION,
                     MOSAIC_COMPILER, MOSAIC_BUILD_TYPE, MOSAIC_TORCH_VERSION);
}

}  // namespace mosaic

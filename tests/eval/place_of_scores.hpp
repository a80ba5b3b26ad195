#pragma once

namespace mosaic::eval {

/// The same golden tests score on the processor and, compiled once more, on the emulated device.
#ifdef MOSAIC_EMULATED_DEVICE
inline constexpr bool scores_on_device = true;
#else
inline constexpr bool scores_on_device = false;
#endif

}  // namespace mosaic::eval

#pragma once

#include <cstddef>
#include <functional>

namespace mosaic {

/// Calls body(i) for i = 0 ... count - 1 on up to `threads` threads (the caller's among them); i are handed
/// out in order, results must not depend on which thread takes which. The first exception is rethrown after
/// all threads have stopped.
void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t)>& body);

}  // namespace mosaic

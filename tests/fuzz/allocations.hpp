#pragma once

#include <cstddef>

namespace mosaic::test {

/// How much memory was allocated at most at one time since this object was made [bytes]: with
/// AddressSanitizer of every library, otherwise what goes through operator new. One at a time.
class AllocationWatch {
 public:
  AllocationWatch();
  std::size_t peak() const;
};

}  // namespace mosaic::test

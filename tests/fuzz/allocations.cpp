#include "fuzz/allocations.hpp"

#include <atomic>
#include <cstdint>

namespace {

std::atomic<std::int64_t> live{0};
std::atomic<std::int64_t> highest{0};

void note(std::int64_t change) {
  const std::int64_t now = live += change;
  std::int64_t before = highest;
  while (now > before && !highest.compare_exchange_weak(before, now)) {
  }
}

}  // namespace

#ifdef __SANITIZE_ADDRESS__

// GCC does not install sanitizer/allocator_interface.h.
extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, std::size_t),
                                              void (*on_free)(const volatile void*));
std::size_t __sanitizer_get_allocated_size(const volatile void* place);
}

namespace {

void note_malloc(const volatile void*, std::size_t size) { note(static_cast<std::int64_t>(size)); }

void note_free(const volatile void* place) {
  if (place != nullptr) {
    note(-static_cast<std::int64_t>(__sanitizer_get_allocated_size(place)));
  }
}

const int installed = __sanitizer_install_malloc_and_free_hooks(note_malloc, note_free);

}  // namespace

#else

#include <malloc.h>

#include <cstdlib>
#include <new>

// Every other form of the replaceable operators calls these, but for over-aligned types, which are not
// counted.
void* operator new(std::size_t size) {
  void* place = std::malloc(size == 0 ? 1 : size);
  if (place == nullptr) {
    throw std::bad_alloc();
  }
  note(static_cast<std::int64_t>(malloc_usable_size(place)));
  return place;
}

void operator delete(void* place) noexcept {
  if (place != nullptr) {
    note(-static_cast<std::int64_t>(malloc_usable_size(place)));
  }
  std::free(place);
}

void operator delete(void* place, std::size_t) noexcept { operator delete(place); }

#endif

namespace mosaic::test {

AllocationWatch::AllocationWatch() {
  live = 0;
  highest = 0;
}

std::size_t AllocationWatch::peak() const { return static_cast<std::size_t>(highest.load()); }

}  // namespace mosaic::test

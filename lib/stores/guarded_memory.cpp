#include "stores/guarded_memory.hpp"

#include <dlfcn.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace mosaic {

namespace {

constexpr std::size_t reserved = std::size_t{1} << 38;  // of address space [bytes]
// Lengths of 16 bits in a file lead no further than this.
constexpr std::size_t gap = std::size_t{1} << 17;
constexpr std::size_t largest = std::size_t{1} << 26;
// Beyond these blocks are ordinary ones: the kernel maps 65530 areas, and they take memory.
constexpr std::size_t most_blocks = 16384;
constexpr std::size_t most_bytes = std::size_t{1} << 30;
constexpr std::size_t rest = 256;  // pages that are freed before one is used again
constexpr std::size_t alignment = alignof(std::max_align_t);
constexpr char untouched = '\xA5';  // between a block and the gap

using Malloc = void* (*)(std::size_t, const void*);
using Free = void (*)(void*, const void*);
using Realloc = void* (*)(void*, std::size_t, const void*);
using Memalign = void* (*)(std::size_t, std::size_t, const void*);

/// Before every block.
struct alignas(alignment) Header {
  std::size_t size = 0;
  std::size_t length = 0;  // of its pages
};

std::size_t round_up(std::size_t size, std::size_t unit) { return (size + unit - 1) / unit * unit; }

/// Blocks at the end of their pages, with a gap behind each. Those of one page keep it, so that they cost no
/// call of the kernel, and are used again late: what reads a freed block finds the filling. Larger ones are
/// taken away.
class Guarded {
 public:
  bool reserve() {
    void* place = mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED) {
      return false;
    }
    begin_ = next_ = static_cast<char*>(place);
    return true;
  }

  bool is_reserved() const { return begin_ != nullptr; }

  bool has(const void* block) const {
    const char* place = static_cast<const char*>(block);
    return is_reserved() && begin_ <= place && place < begin_ + reserved;
  }

  /// What new blocks hold, and freed ones.
  void fill_with(unsigned char byte) { filling_ = byte; }

  /// Null: take an ordinary one.
  void* allocate(std::size_t size) {
    if (size > largest || bytes_ + size > most_bytes) {
      return nullptr;
    }
    const std::size_t length = round_up(sizeof(Header) + round_up(size, alignment), page_);
    char* start = length == page_ ? old_page() : nullptr;
    start = start == nullptr ? new_pages(length) : start;
    if (start == nullptr) {
      return nullptr;
    }
    bytes_ += length;
    const std::size_t room = round_up(size, alignment);
    char* block = start + length - room;
    *header(block) = {size, length};
    std::memset(block, filling_, size);
    std::memset(block + size, untouched, room - size);
    return block;
  }

  void release(void* block) {
    const Header about = *header(block);
    const std::size_t room = round_up(about.size, alignment);
    char* end = static_cast<char*>(block) + room;
    if (!is_whole(static_cast<char*>(block), about)) {
      std::abort();  // also of a block that is free already
    }
    bytes_ -= about.length;
    char* start = end - about.length;
    if (about.length == page_) {
      std::memset(end - room - sizeof(Header), filling_, sizeof(Header) + room);
      free_pages_[freed_++ % most_blocks] = start;
    } else {
      mmap(start, about.length, PROT_NONE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      --areas_;
    }
  }

  static std::size_t size(const void* block) { return header(const_cast<void*>(block))->size; }

 private:
  static Header* header(void* block) { return static_cast<Header*>(block) - 1; }

  /// Whether nobody wrote over the header or the bytes between the block and the gap.
  bool is_whole(const char* block, const Header& about) const {
    return about.size <= largest &&
           about.length == round_up(sizeof(Header) + round_up(about.size, alignment), page_) &&
           std::all_of(block + about.size, block + round_up(about.size, alignment),
                       [](char byte) { return byte == untouched; });
  }

  char* old_page() {
    return freed_ - used_again_ > rest ? free_pages_[used_again_++ % most_blocks] : nullptr;
  }

  char* new_pages(std::size_t length) {
    if (areas_ >= most_blocks || length + gap > static_cast<std::size_t>(begin_ + reserved - next_) ||
        mprotect(next_, length, PROT_READ | PROT_WRITE) != 0) {
      return nullptr;
    }
    char* start = std::exchange(next_, next_ + length + gap);
    std::memset(start, filling_, length);
    ++areas_;
    return start;
  }

  const std::size_t page_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  char* begin_ = nullptr;
  char* next_ = nullptr;
  int filling_ = 0;
  std::size_t areas_ = 0;                        // that are not in the gap: in use, or a page for later
  std::size_t bytes_ = 0;                        // in use
  std::array<char*, most_blocks> free_pages_{};  // a ring
  std::size_t freed_ = 0;
  std::size_t used_again_ = 0;
};

Guarded& guarded() {
  static Guarded blocks;
  return blocks;
}

/// Where the C library keeps its hooks: old symbols, which no program can be linked to. Volatile: the
/// compiler takes it for granted that malloc() and free() read no variables.
struct Hooks {
  Malloc volatile* malloc = find<Malloc>("__malloc_hook");
  Free volatile* free = find<Free>("__free_hook");
  Realloc volatile* realloc = find<Realloc>("__realloc_hook");
  Memalign volatile* memalign = find<Memalign>("__memalign_hook");

  bool complete() const {
    return malloc != nullptr && free != nullptr && realloc != nullptr && memalign != nullptr;
  }

 private:
  template <class Hook>
  static Hook volatile* find(const char* name) {
    for (const char* version : {"GLIBC_2.2.5", "GLIBC_2.17"}) {  // of x86-64, of aarch64
      if (void* hook = dlvsym(RTLD_DEFAULT, name, version)) {
        return static_cast<Hook volatile*>(hook);
      }
    }
    return nullptr;
  }
};

const Hooks& hooks() {
  static const Hooks found;
  return found;
}

void* guarded_malloc(std::size_t size, const void*);
void guarded_free(void* block, const void*);
void* guarded_realloc(void* block, std::size_t size, const void*);
void* guarded_memalign(std::size_t unit, std::size_t size, const void*);

void set_hooks(Malloc malloc, Free free, Realloc realloc, Memalign memalign) {
  *hooks().malloc = malloc;
  *hooks().free = free;
  *hooks().realloc = realloc;
  *hooks().memalign = memalign;
}

void set_guards() { set_hooks(guarded_malloc, guarded_free, guarded_realloc, guarded_memalign); }

/// The C library as it is otherwise.
class Ordinary {
 public:
  Ordinary() { set_hooks(nullptr, nullptr, nullptr, nullptr); }
  ~Ordinary() { set_guards(); }
  Ordinary(const Ordinary&) = delete;
  Ordinary& operator=(const Ordinary&) = delete;
};

void* guarded_malloc(std::size_t size, const void*) {
  if (void* block = guarded().allocate(size)) {
    return block;
  }
  const Ordinary ordinary;
  return std::malloc(size);
}

void guarded_free(void* block, const void*) {
  if (guarded().has(block)) {
    guarded().release(block);
  } else {
    const Ordinary ordinary;
    std::free(block);
  }
}

void* guarded_realloc(void* block, std::size_t size, const void*) {
  if (block != nullptr && !guarded().has(block)) {
    const Ordinary ordinary;
    return std::realloc(block, size);
  }
  if (block != nullptr && size == 0) {
    guarded_free(block, nullptr);
    return nullptr;
  }
  void* larger = guarded_malloc(size, nullptr);
  if (block != nullptr && larger != nullptr) {
    std::memcpy(larger, block, std::min(size, guarded().size(block)));
    guarded_free(block, nullptr);
  }
  return larger;
}

void* guarded_memalign(std::size_t unit, std::size_t size, const void*) {
  const Ordinary ordinary;
  return memalign(unit, size);
}

}  // namespace

bool guard_memory(unsigned char filling) {
  guarded().fill_with(filling);
  if (guarded().is_reserved()) {
    return true;
  }
  if (!hooks().complete() || !guarded().reserve()) {
    return false;
  }
  set_guards();
  return true;
}

void end_at_huge_allocation() {
#if defined(__x86_64__) || defined(__aarch64__)
#ifdef __x86_64__
  constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
#else
  constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
#endif
  constexpr auto load = [](std::size_t offset) {
    return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  };
  // Jumps over `otherwise` instructions unless the condition holds.
  constexpr auto unless = [](int condition, std::uint32_t value, std::uint8_t otherwise) {
    return sock_filter BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | condition | BPF_K), value, 0, otherwise);
  };
  constexpr auto argument = [](std::size_t number) { return offsetof(seccomp_data, args) + 8 * number; };
  constexpr std::size_t upper_half = 4;  // of a little-endian argument of 64 bits
  constexpr std::size_t mmap_length = 1;
  constexpr std::size_t mmap_flags = 3;
  std::array<sock_filter, 10> filter{
      load(offsetof(seccomp_data, arch)),
      unless(BPF_JEQ, architecture, 7),
      load(offsetof(seccomp_data, nr)),
      unless(BPF_JEQ, __NR_mmap, 5),
      load(argument(mmap_flags)),
      unless(BPF_JSET, MAP_ANONYMOUS, 3),
      load(argument(mmap_length) + upper_half),
      unless(BPF_JGT, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{filter.size(), filter.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
  }
#endif
}

}  // namespace mosaic

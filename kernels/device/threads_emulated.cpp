#include <fmt/format.h>
#include <ucontext.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <random>
#include <vector>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#include "base/error.hpp"
#include "kernels/device/emulation.hpp"

namespace mosaic::kernels::emulation {

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t stack_bytes = 512 << 10;
#else
constexpr std::size_t stack_bytes = 128 << 10;
#endif

/// A stack that AddressSanitizer is told of when threads change.
struct StackArea {
  const void* bottom = nullptr;
  std::size_t bytes = 0;
};

[[gnu::no_sanitize_address]] void announce_change([[maybe_unused]] void** own,
                                                  [[maybe_unused]] const StackArea& to) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber(own, to.bottom, to.bytes);
#endif
}

[[gnu::no_sanitize_address]] void finish_change([[maybe_unused]] void* own,
                                                [[maybe_unused]] StackArea* from) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(own, from != nullptr ? &from->bottom : nullptr,
                                  from != nullptr ? &from->bytes : nullptr);
#endif
}

/// Where a fiber or the scheduler goes on. The compiler's own jumps: swapcontext asks the system twice at
/// every change, and AddressSanitizer takes the library's for ends of functions.
using Jump = void* [5];

struct Ready {
  bool (*ready)(const void*, std::uint64_t) = nullptr;
  const void* context = nullptr;
  std::uint64_t value = 0;
};

struct Queue {
  std::vector<std::function<void()>> open;
  std::deque<std::vector<std::function<void()>>> committed;
};

struct Fiber {
  ThreadPlace place;
  Ready waiting;
  const char* waits_for = "";
  bool started = false, done = false;
  ucontext_t context{};
  Jump jump{};
  void* sanitizer = nullptr;
  std::unique_ptr<unsigned char[]> stack;
  Queue copies;
};

/// Where threads of a group meet.
struct Meeting {
  const char* name = nullptr;
  std::vector<void*> slots;
  unsigned arrived = 0;
  std::uint64_t round = 0;
};

struct NamedBarrier {
  unsigned arrived = 0;
  std::uint64_t round = 0;
};

struct Warpgroup {
  Queue products;
  bool fenced = false;
};

bool round_is_over(const void* context, std::uint64_t round) {
  return *static_cast<const std::uint64_t*>(context) != round;
}

/// The block that runs.
class Block {
 public:
  Block(const Index3& grid, unsigned threads, std::size_t shared_bytes, const std::function<void()>& body)
      : body_(body), shared_bytes_(shared_bytes), fibers_(threads), warpgroups_((threads + 127) / 128) {
    for (unsigned t = 0; t < threads; ++t) {
      fibers_[t].place = {{t, 0, 0}, {}, {threads, 1, 1}, grid};
    }
    if (shared_bytes > 0) {
      shared_.reset(
          static_cast<unsigned char*>(std::aligned_alloc(1024, (shared_bytes + 1023) / 1024 * 1024)));
    }
  }

  void run(const Index3& block, std::mt19937_64& random) {
    if (shared_bytes_ > 0) {
      std::memset(shared_.get(), 0xff, shared_bytes_);
    }
    for (Fiber& fiber : fibers_) {
      fiber.place.block = block;
      fiber.started = fiber.done = false;
      fiber.waiting = {};
      fiber.copies = {};
    }
    meetings_.clear();
    barriers_.clear();
    engine_.clear();
    std::fill(warpgroups_.begin(), warpgroups_.end(), Warpgroup{});
    schedule(random);
  }

  Fiber& current() { return *current_; }
  unsigned char* shared() { return shared_.get(); }
  std::size_t shared_bytes() const { return shared_bytes_; }
  Meeting& meeting(unsigned group_size) {
    return meetings_[{group_size, current_->place.thread.x / group_size}];
  }
  NamedBarrier& barrier(int id) { return barriers_[id]; }
  Warpgroup& warpgroup() { return warpgroups_[current_->place.thread.x / 128]; }
  std::deque<std::function<void()>>& engine() { return engine_; }

  void wait(const char* what, const Ready& ready) {
    Fiber& fiber = *current_;
    fiber.waits_for = what;
    fiber.waiting = ready;
    while (!ready.ready(ready.context, ready.value)) {
      leave(fiber);
    }
    fiber.waiting = {};
  }

 private:
  struct Free {
    void operator()(unsigned char* p) const { std::free(p); }
  };

  void schedule(std::mt19937_64& random) {
    std::vector<Fiber*> order;
    for (Fiber& fiber : fibers_) {
      order.push_back(&fiber);
    }
    if (settings().order == ThreadOrder::backward) {
      std::reverse(order.begin(), order.end());
    }
    while (!order.empty()) {
      if (settings().order == ThreadOrder::shuffled) {
        std::shuffle(order.begin(), order.end(), random);
      }
      bool moved = false;
      for (Fiber* fiber : order) {
        if (fiber->waiting.ready == nullptr ||
            fiber->waiting.ready(fiber->waiting.context, fiber->waiting.value)) {
          moved = true;
          enter(*fiber);
          if (failure_) {
            std::rethrow_exception(failure_);
          }
        }
      }
      std::erase_if(order, [](const Fiber* fiber) { return fiber->done; });
      if (!moved && !order.empty()) {
        advance_engine(order);
      }
    }
  }

  void advance_engine(const std::vector<Fiber*>& order) {
    if (!engine_.empty()) {
      auto work = std::move(engine_.front());
      engine_.pop_front();
      work();
      return;
    }
    std::map<std::string, std::vector<unsigned>> places;
    for (const Fiber* fiber : order) {
      places[fiber->waits_for].push_back(fiber->place.thread.x);
    }
    std::string text;
    for (auto& [what, threads] : places) {
      std::sort(threads.begin(), threads.end());
      text += fmt::format("; {} threads ({} ... {}) at {}", threads.size(), threads.front(), threads.back(),
                          what);
    }
    const Index3& block = order.front()->place.block;
    fail(ExitCode::internal, "emulated device: block ({}, {}, {}) cannot go on{}", block.x, block.y, block.z,
         text);
  }

  static void trampoline() {
    Block& block = *running_;
    Fiber& fiber = *block.current_;
    finish_change(nullptr, &block.scheduler_stack_);
    try {
      block.body_();
    } catch (...) {
      block.failure_ = std::current_exception();
    }
    fiber.done = true;
    block.leave(fiber);
  }

  [[gnu::noinline, gnu::no_sanitize_address]] void enter(Fiber& fiber) {
    current_ = &fiber;
    running_ = this;
    if (__builtin_setjmp(scheduler_jump_) != 0) {
      finish_change(sanitizer_, nullptr);
      return;
    }
    if (!fiber.stack) {
      fiber.stack.reset(new unsigned char[stack_bytes]);
    }
    announce_change(&sanitizer_, {fiber.stack.get(), stack_bytes});
    if (fiber.started) {
      go_to(fiber.jump);
    }
    fiber.started = true;
    start(fiber);
  }

  [[gnu::noinline]] static void start(Fiber& fiber) {
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = stack_bytes;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, &Block::trampoline, 0);
    setcontext(&fiber.context);
  }

  [[gnu::noinline, gnu::no_sanitize_address]] void leave(Fiber& fiber) {
    if (__builtin_setjmp(fiber.jump) == 0) {
      announce_change(fiber.done ? nullptr : &fiber.sanitizer, scheduler_stack_);
      go_to(scheduler_jump_);
    }
    finish_change(fiber.sanitizer, nullptr);
  }

  [[gnu::noinline, gnu::no_sanitize_address]] static void go_to(Jump& jump) { __builtin_longjmp(jump, 1); }

  static Block* running_;

  const std::function<void()>& body_;
  std::size_t shared_bytes_;
  std::unique_ptr<unsigned char, Free> shared_;
  std::vector<Fiber> fibers_;
  std::vector<Warpgroup> warpgroups_;
  std::map<std::pair<unsigned, unsigned>, Meeting> meetings_;
  std::map<int, NamedBarrier> barriers_;
  std::deque<std::function<void()>> engine_;
  Fiber* current_ = nullptr;
  std::exception_ptr failure_;
  Jump scheduler_jump_{};
  void* sanitizer_ = nullptr;
  StackArea scheduler_stack_;
};

Block* Block::running_ = nullptr;

Block* block = nullptr;  // of the running grid

struct RunningBlock {
  explicit RunningBlock(Block& running) { block = &running; }
  ~RunningBlock() { block = nullptr; }
};

bool late() { return settings().asynchrony == Asynchrony::late; }

Queue& queue_of(QueueKind kind) {
  return kind == QueueKind::thread ? block->current().copies : block->warpgroup().products;
}

void finish_groups(Queue& queue, std::size_t left) {
  while (queue.committed.size() > left) {
    for (const auto& work : queue.committed.front()) {
      work();
    }
    queue.committed.pop_front();
  }
}

}  // namespace

Settings& settings() {
  static Settings settings;
  return settings;
}

const ThreadPlace& place() { return block->current().place; }

unsigned char* shared_memory() { return block->shared(); }

std::size_t shared_memory_bytes() { return block->shared_bytes(); }

std::uint32_t shared_offset(const void* address) {
  const auto offset = static_cast<const unsigned char*>(address) - block->shared();
  require(offset >= 0 && static_cast<std::size_t>(offset) < block->shared_bytes(),
          "emulated device: an address {} bytes from the begin of {} bytes of shared memory", offset,
          block->shared_bytes());
  return static_cast<std::uint32_t>(offset);
}

void run_grid(const Index3& grid, unsigned threads, std::size_t shared_bytes,
              const std::function<void()>& body) {
  require(threads >= 1 && threads <= 1024 && grid.x >= 1 && grid.y >= 1 && grid.z >= 1,
          "emulated device: {} x {} x {} blocks of {} threads", grid.x, grid.y, grid.z, threads);
  require(shared_bytes <= 227 * 1024, "emulated device: {} bytes of shared memory", shared_bytes);
  Block running(grid, threads, shared_bytes, body);
  const RunningBlock guard(running);
  std::mt19937_64 random(settings().seed);
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) {
        if (!settings().blocks || settings().blocks(x, y, z)) {
          running.run({x, y, z}, random);
        }
      }
    }
  }
}

void wait_until(const char* what, bool (*ready)(const void*, std::uint64_t), const void* context,
                std::uint64_t value) {
  block->wait(what, {ready, context, value});
}

void collective(const char* name, unsigned group_size, void* slot, void (*perform)(void* const* slots)) {
  Meeting& meeting = block->meeting(group_size);
  if (meeting.arrived == 0) {
    meeting.name = name;
    meeting.slots.assign(group_size, nullptr);
  }
  require(std::strcmp(meeting.name, name) == 0,
          "emulated device: thread {} is at {}, others of its {} threads at {}", place().thread.x, name,
          group_size, meeting.name);
  meeting.slots[place().thread.x % group_size] = slot;
  if (++meeting.arrived == group_size) {
    perform(meeting.slots.data());
    meeting.arrived = 0;
    ++meeting.round;
    return;
  }
  wait_until(name, round_is_over, &meeting.round, meeting.round);
}

void barrier(int id, unsigned threads, BarrierRole role) {
  require(id >= 0 && id < 16 && threads % 32 == 0, "emulated device: barrier {} of {} threads", id, threads);
  NamedBarrier& barrier = block->barrier(id);
  if (++barrier.arrived == threads) {
    barrier.arrived = 0;
    ++barrier.round;
  } else if (role == BarrierRole::wait) {
    wait_until("a barrier", round_is_over, &barrier.round, barrier.round);
  }
}

void enqueue(QueueKind kind, std::function<void()> work) {
  if (late()) {
    queue_of(kind).open.push_back(std::move(work));
  } else {
    work();
  }
}

namespace {

void commit_queue(Queue& queue) {
  queue.committed.push_back(std::move(queue.open));
  queue.open.clear();
}

}  // namespace

void commit(QueueKind kind) {
  if (kind == QueueKind::thread) {
    commit_queue(queue_of(kind));
  } else {
    collective("warpgroup_commit", 128, nullptr,
               [](void* const*) { commit_queue(block->warpgroup().products); });
  }
}

void wait_for_groups(QueueKind kind, std::size_t left) {
  if (kind == QueueKind::thread) {
    finish_groups(queue_of(kind), left);
    return;
  }
  collective("warpgroup_wait", 128, &left, [](void* const* slots) {
    const std::size_t groups = *static_cast<std::size_t*>(slots[0]);
    finish_groups(block->warpgroup().products, groups);
    if (groups == 0) {
      block->warpgroup().fenced = false;
    }
  });
}

void enqueue_engine(std::function<void()> work) {
  if (late()) {
    block->engine().push_back(std::move(work));
  } else {
    work();
  }
}

void warpgroup_fence() {
  collective("warpgroup_fence", 128, nullptr, [](void* const*) { block->warpgroup().fenced = true; });
}

void require_fence() {
  require(block->warpgroup().fenced, "emulated device: a product of a warpgroup without warpgroup_fence");
}

}  // namespace mosaic::kernels::emulation

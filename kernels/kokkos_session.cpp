#include "kernels/kokkos_session.hpp"

#include <Kokkos_Core.hpp>
#include <thread>

#include "base/error.hpp"
#include "base/log.hpp"

namespace mosaic::kernels {
namespace {

/// Runs Kokkos for as long as it lives, unless the program had started Kokkos itself.
class KokkosSession {
 public:
  explicit KokkosSession(int threads) : owner_thread_(std::this_thread::get_id()), threads_(threads) {
    if (Kokkos::is_initialized()) {
      return;
    }
    owned_ = true;
    // Binding of threads is the launcher's business: no warnings about it. Not through Kokkos' variable of
    // the environment, which other threads read meanwhile (HDF5 does when the first file is opened).
#if KOKKOS_VERSION >= 30700  // InitArguments was replaced in 3.7 and is gone in 4
    Kokkos::initialize(Kokkos::InitializationSettings().set_num_threads(threads).set_disable_warnings(true));
#else
    Kokkos::InitArguments arguments;
    arguments.num_threads = threads;
    arguments.disable_warnings = true;
    Kokkos::initialize(arguments);
#endif
  }

  ~KokkosSession() {
    if (owned_ && Kokkos::is_initialized()) {
      Kokkos::finalize();
    }
  }

  KokkosSession(const KokkosSession&) = delete;
  KokkosSession& operator=(const KokkosSession&) = delete;

  std::thread::id owner_thread() const { return owner_thread_; }
  int threads() const { return threads_; }

 private:
  std::thread::id owner_thread_;
  int threads_;
  bool owned_ = false;
};

}  // namespace

void ensure_kokkos(int threads) {
  static const KokkosSession session(threads);
  require(session.owner_thread() == std::this_thread::get_id(),
          "Kokkos kernels were called from two threads; call the scores from one thread of the program");
  if (threads != session.threads()) {
    log_debug("Kokkos keeps its {} threads; {} were asked for later", session.threads(), threads);
  }
}

}  // namespace mosaic::kernels

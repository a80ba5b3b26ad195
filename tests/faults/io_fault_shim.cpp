// Preloaded before a program (LD_PRELOAD): lets chosen system calls under one folder fail, or counts them.
//
//   IO_FAULT_FOLDER  the folder; calls on other paths and descriptors pass through
//   IO_FAULT_RANK    the rank that meets the fault; absent = every process
//   IO_FAULT_KIND    open (for writing), open_read, write, fsync, rename, close, truncate, link, unlink,
//                    mkdir; absent = only count
//   IO_FAULT_CLASS   which files: the path under the folder without digits, '-' and ':'
//                    (sums/T.nc.tmp); absent = all
//   IO_FAULT_NUMBER  the call of this kind and class that fails, from 1
//   IO_FAULT_ERROR   the errno as a number; 0 = a short write: half of the bytes are written
//   IO_FAULT_LASTS   set: all later calls fail, too
//   IO_FAULT_REPORT  file to which each process appends, at its end, "count KIND CLASS CALLS" of what it
//                    made, and at once "fault KIND CLASS NUMBER" of what it let fail
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int own_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (const char* value = std::getenv(name)) {
      return std::atoi(value);
    }
  }
  return 0;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

class Shim {
 public:
  /// Never destroyed: the last calls of a process come late.
  static Shim& instance() {
    static Shim* shim = new Shim;
    return *shim;
  }

  /// The class of a path, or an empty text if it is not under the folder.
  std::string class_of(const char* path) const {
    if (folder_.empty() || path == nullptr || std::strncmp(path, folder_.c_str(), folder_.size()) != 0) {
      return "";
    }
    const char* rest = path + folder_.size();
    if (*rest != '\0' && *rest != '/') {
      return "";
    }
    std::string name(*rest == '/' ? rest + 1 : rest);
    std::erase_if(name, [](char c) { return (c >= '0' && c <= '9') || c == '-' || c == ':'; });
    return name.empty() ? "." : name;
  }
  std::string class_of(int descriptor) const {
    if (folder_.empty() || descriptor < 0) {
      return "";
    }
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    std::array<char, 4096> path{};
    const ssize_t length = readlink(link.c_str(), path.data(), path.size() - 1);
    constexpr std::string_view deleted = " (deleted)";  // how the system marks a file without a name
    std::string name(path.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
    if (name.ends_with(deleted)) {
      name.resize(name.size() - deleted.size());
    }
    return class_of(name.c_str());
  }

  /// Counts the call; its error if it is to fail (0: a short write).
  std::optional<int> fault(const char* kind, const std::string& file_class) {
    if (file_class.empty()) {
      return std::nullopt;
    }
    const std::lock_guard lock(mutex_);
    ++counts_[{kind, file_class}];
    if (!here_ || kind != kind_ || (!class_.empty() && class_ != file_class)) {
      return std::nullopt;
    }
    ++calls_;
    if (calls_ < number_ || (calls_ > number_ && !lasts_)) {
      return std::nullopt;
    }
    if (calls_ == number_) {
      say("fault " + kind_ + " " + file_class + " " + std::to_string(number_) + "\n");
    }
    return error_;
  }

  void report() {
    const std::lock_guard lock(mutex_);
    std::string text;
    for (const auto& [key, calls] : counts_) {
      text += "count " + key.first + " " + key.second + " " + std::to_string(calls) + "\n";
    }
    say(text);
  }

 private:
  Shim() {
    std::array<char, 4096> real{};
    const std::string given = variable("IO_FAULT_FOLDER");
    folder_ = realpath(given.c_str(), real.data()) != nullptr ? real.data() : given;
    kind_ = variable("IO_FAULT_KIND");
    class_ = variable("IO_FAULT_CLASS");
    number_ = std::atol(variable("IO_FAULT_NUMBER").c_str());
    error_ = std::atoi(variable("IO_FAULT_ERROR").c_str());
    lasts_ = !variable("IO_FAULT_LASTS").empty();
    report_ = variable("IO_FAULT_REPORT");
    const std::string rank = variable("IO_FAULT_RANK");
    here_ = !kind_.empty() && (rank.empty() || std::atoi(rank.c_str()) == own_rank());
  }

  /// Past all that is interposed here.
  void say(const std::string& text) const {
    if (report_.empty() || text.empty()) {
      return;
    }
    const long file = syscall(SYS_openat, AT_FDCWD, report_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (file >= 0) {
      syscall(SYS_write, file, text.data(), text.size());
      syscall(SYS_close, file);
    }
  }

  std::string folder_, kind_, class_, report_;
  long number_ = 0;
  int error_ = 0;
  bool lasts_ = false;
  bool here_ = false;
  std::mutex mutex_;
  long calls_ = 0;
  std::map<std::pair<std::string, std::string>, long> counts_;
};

__attribute__((destructor)) void report_at_end() { Shim::instance().report(); }

/// Makes the call unless it is to fail.
template <class File, class Call>
auto guarded(const char* kind, const File& file, Call&& call) -> decltype(call()) {
  Shim& shim = Shim::instance();
  const int before = errno;
  const auto error = shim.fault(kind, shim.class_of(file));
  errno = before;
  if (error) {
    errno = *error;
    return static_cast<decltype(call())>(-1);
  }
  return call();
}

/// `write_bytes(n)` writes the first n bytes.
template <class Call>
ssize_t guarded_write(int file, size_t bytes, Call&& write_bytes) {
  Shim& shim = Shim::instance();
  const int before = errno;
  const auto error = shim.fault("write", shim.class_of(file));
  errno = before;
  if (error && *error != 0) {
    errno = *error;
    return -1;
  }
  return write_bytes(error && bytes > 1 ? bytes / 2 : bytes);
}

const char* open_kind(int flags) { return (flags & O_ACCMODE) == O_RDONLY ? "open_read" : "open"; }

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

FILE* guarded_fopen(const char* name, const char* path, const char* mode) {
  Shim& shim = Shim::instance();
  const bool reads = mode[0] == 'r' && std::strchr(mode, '+') == nullptr;
  if (const auto error = shim.fault(reads ? "open_read" : "open", shim.class_of(path))) {
    errno = *error;
    return nullptr;
  }
  return next<FILE*(const char*, const char*)>(name)(path, mode);
}

}  // namespace

// NOLINTBEGIN: the names and signatures are the C library's
extern "C" {

#define INTERPOSE_OPEN(name)                                                                    \
  int name(const char* path, int flags, ...) {                                                  \
    va_list arguments;                                                                          \
    va_start(arguments, flags);                                                                 \
    const mode_t mode = mode_of(flags, arguments);                                              \
    va_end(arguments);                                                                          \
    return guarded(open_kind(flags), path,                                                      \
                   [&] { return next<int(const char*, int, ...)>(#name)(path, flags, mode); }); \
  }
INTERPOSE_OPEN(open)
INTERPOSE_OPEN(open64)

#define INTERPOSE_OPENAT(name)                                                                               \
  int name(int folder, const char* path, int flags, ...) {                                                   \
    va_list arguments;                                                                                       \
    va_start(arguments, flags);                                                                              \
    const mode_t mode = mode_of(flags, arguments);                                                           \
    va_end(arguments);                                                                                       \
    return guarded(open_kind(flags), path,                                                                   \
                   [&] { return next<int(int, const char*, int, ...)>(#name)(folder, path, flags, mode); }); \
  }
INTERPOSE_OPENAT(openat)
INTERPOSE_OPENAT(openat64)

int creat(const char* path, mode_t mode) {
  return guarded("open", path, [&] { return next<int(const char*, mode_t)>("creat")(path, mode); });
}
FILE* fopen(const char* path, const char* mode) { return guarded_fopen("fopen", path, mode); }
FILE* fopen64(const char* path, const char* mode) { return guarded_fopen("fopen64", path, mode); }

ssize_t write(int file, const void* data, size_t bytes) {
  return guarded_write(
      file, bytes, [&](size_t n) { return next<ssize_t(int, const void*, size_t)>("write")(file, data, n); });
}
ssize_t pwrite(int file, const void* data, size_t bytes, off_t place) {
  return guarded_write(file, bytes, [&](size_t n) {
    return next<ssize_t(int, const void*, size_t, off_t)>("pwrite")(file, data, n, place);
  });
}
ssize_t pwrite64(int file, const void* data, size_t bytes, off64_t place) {
  return guarded_write(file, bytes, [&](size_t n) {
    return next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64")(file, data, n, place);
  });
}
ssize_t writev(int file, const iovec* pieces, int count) {
  size_t bytes = 0;
  for (int i = 0; i < count; ++i) {
    bytes += pieces[i].iov_len;
  }
  return guarded_write(file, bytes, [&](size_t n) -> ssize_t {
    if (n == bytes) {
      return next<ssize_t(int, const iovec*, int)>("writev")(file, pieces, count);
    }
    for (int i = 0; i < count; ++i) {  // short: of the first piece that is not empty
      if (pieces[i].iov_len > 0) {
        const size_t part = pieces[i].iov_len < n ? pieces[i].iov_len : n;
        return next<ssize_t(int, const void*, size_t)>("write")(file, pieces[i].iov_base, part);
      }
    }
    return 0;
  });
}
size_t fwrite(const void* data, size_t size, size_t count, FILE* stream) {
  Shim& shim = Shim::instance();
  const auto error = shim.fault("write", shim.class_of(fileno(stream)));
  if (error && *error != 0) {
    errno = *error;
    return 0;
  }
  return next<size_t(const void*, size_t, size_t, FILE*)>("fwrite")(data, size, count, stream);
}

int fsync(int file) {
  return guarded("fsync", file, [&] { return next<int(int)>("fsync")(file); });
}
int fdatasync(int file) {
  return guarded("fsync", file, [&] { return next<int(int)>("fdatasync")(file); });
}

// As the kernel does it: the descriptor is gone all the same.
int close(int file) {
  Shim& shim = Shim::instance();
  const int before = errno;
  const auto error = shim.fault("close", shim.class_of(file));
  errno = before;
  const int result = next<int(int)>("close")(file);
  if (error) {
    errno = *error;
    return -1;
  }
  return result;
}
int fclose(FILE* stream) {
  Shim& shim = Shim::instance();
  const auto error = shim.fault("close", shim.class_of(fileno(stream)));
  const int result = next<int(FILE*)>("fclose")(stream);
  if (error) {
    errno = *error;
    return EOF;
  }
  return result;
}

int rename(const char* from, const char* to) noexcept {
  return guarded("rename", to, [&] { return next<int(const char*, const char*)>("rename")(from, to); });
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return guarded("rename", to, [&] {
    return next<int(int, const char*, int, const char*)>("renameat")(from_folder, from, to_folder, to);
  });
}
int link(const char* from, const char* to) noexcept {
  return guarded("link", to, [&] { return next<int(const char*, const char*)>("link")(from, to); });
}
int ftruncate(int file, off_t length) noexcept {
  return guarded("truncate", file, [&] { return next<int(int, off_t)>("ftruncate")(file, length); });
}
int ftruncate64(int file, off64_t length) noexcept {
  return guarded("truncate", file, [&] { return next<int(int, off64_t)>("ftruncate64")(file, length); });
}
int unlink(const char* path) noexcept {
  return guarded("unlink", path, [&] { return next<int(const char*)>("unlink")(path); });
}
int remove(const char* path) noexcept {
  return guarded("unlink", path, [&] { return next<int(const char*)>("remove")(path); });
}
int rmdir(const char* path) noexcept {
  return guarded("unlink", path, [&] { return next<int(const char*)>("rmdir")(path); });
}
int unlinkat(int folder, const char* path, int flags) noexcept {
  Shim& shim = Shim::instance();
  // fs::remove_all works with names relative to an open folder.
  const std::string file_class = *path == '/' ? shim.class_of(path) : shim.class_of(folder);
  if (const auto error = shim.fault("unlink", file_class)) {
    errno = *error;
    return -1;
  }
  return next<int(int, const char*, int)>("unlinkat")(folder, path, flags);
}
int mkdir(const char* path, mode_t mode) noexcept {
  return guarded("mkdir", path, [&] { return next<int(const char*, mode_t)>("mkdir")(path, mode); });
}
int mkdirat(int folder, const char* path, mode_t mode) noexcept {
  return guarded("mkdir", path,
                 [&] { return next<int(int, const char*, mode_t)>("mkdirat")(folder, path, mode); });
}

}  // extern "C"
// NOLINTEND

#include "base/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/error.hpp"
#include "base/sha256.hpp"

namespace mosaic {

namespace {

void sync_path(const std::string& path, int flags) {
  const int descriptor = open(path.c_str(), flags);
  require(descriptor >= 0, ExitCode::io_error, "{}: cannot open for fsync: {}", path, std::strerror(errno));
  const int result = fsync(descriptor);
  const int reason = errno;
  close(descriptor);
  require(result == 0, ExitCode::io_error, "{}: fsync failed: {}", path, std::strerror(reason));
}

void sync_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  sync_path(folder.empty() ? "." : folder.string(), O_RDONLY | O_DIRECTORY);
}

struct RemoveUnlessKept {
  std::string path;
  bool kept = false;
  ~RemoveUnlessKept() {
    if (!kept) {
      unlink(path.c_str());
    }
  }
};

void rename_into_place(RemoveUnlessKept& temporary, const std::string& path) {
  const int renamed = std::rename(temporary.path.c_str(), path.c_str());  // errno is read after it
  require(renamed == 0, ExitCode::io_error, "{}: cannot rename the finished file into place: {}", path,
          std::strerror(errno));
  temporary.kept = true;
}

std::string temporary_name(const std::string& path) { return path + ".tmp" + std::to_string(getpid()); }

}  // namespace

void write_file_atomically(const std::string& path, const std::function<void(const std::string&)>& write) {
  RemoveUnlessKept temporary{temporary_name(path)};
  write(temporary.path);
  sync_path(temporary.path, O_RDONLY);
  rename_into_place(temporary, path);
  sync_folder_of(path);
}

namespace {

/// Writes and closes an open file.
void write_and_close(int descriptor, const std::string& path, std::string_view text) {
  int reason = 0;
  while (!text.empty() && reason == 0) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      reason = errno;
    }
  }
  if (close(descriptor) != 0 && reason == 0) {
    reason = errno;
  }
  require(reason == 0, ExitCode::io_error, "{}: write failed: {}", path, std::strerror(reason));
}

}  // namespace

void write_text(const std::string& path, std::string_view text) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  require(descriptor >= 0, ExitCode::cannot_create, "{}: cannot create: {}", path, std::strerror(errno));
  write_and_close(descriptor, path, text);
}

void write_text_atomically(const std::string& path, std::string_view text) {
  write_file_atomically(path, [&](const std::string& temporary) { write_text(temporary, text); });
}

void write_text_unsynced(const std::string& path, std::string_view text) {
  RemoveUnlessKept temporary{temporary_name(path)};
  write_text(temporary.path, text);
  rename_into_place(temporary, path);
}

void sync_file_system(const std::string& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  require(descriptor >= 0, ExitCode::io_error, "{}: cannot open the folder: {}", folder,
          std::strerror(errno));
  const int result = syncfs(descriptor);
  const int reason = errno;
  close(descriptor);
  require(result == 0, ExitCode::io_error, "{}: syncfs failed: {}", folder, std::strerror(reason));
}

void write_text_if_absent(const std::string& path, std::string_view text) {
  const RemoveUnlessKept temporary{temporary_name(path)};
  require(create_text_exclusively(temporary.path, text), ExitCode::cannot_create,
          "{}: is there already; remove it", temporary.path);
  sync_path(temporary.path, O_RDONLY);
  // A second name, unlike a rename, replaces nothing. Where there are no second names the window of two jobs
  // is the time between this look and the rename.
  const int linked = link(temporary.path.c_str(), path.c_str());
  if (linked != 0 && errno != EEXIST && !std::filesystem::exists(path)) {
    const int renamed = std::rename(temporary.path.c_str(), path.c_str());
    require(renamed == 0, ExitCode::io_error, "{}: cannot rename the finished file into place: {}", path,
            std::strerror(errno));
  }
  sync_folder_of(path);
}

bool create_text_exclusively(const std::string& path, std::string_view text) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0 && errno == EEXIST) {
    return false;
  }
  require(descriptor >= 0, ExitCode::cannot_create, "{}: cannot create: {}", path, std::strerror(errno));
  RemoveUnlessKept file{path};
  write_and_close(descriptor, path, text);
  file.kept = true;
  return true;
}

void create_folder(const std::string& path) {
  std::error_code problem;
  std::filesystem::create_directories(path, problem);
  require(!problem, ExitCode::cannot_create, "{}: cannot create the folder: {}", path, problem.message());
}

std::optional<double> time_of_file(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    return std::nullopt;
  }
  return static_cast<double>(status.st_mtim.tv_sec) + 1e-9 * static_cast<double>(status.st_mtim.tv_nsec);
}

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const int reason = errno;
  require(in.good(), reason == EIO ? ExitCode::io_error : ExitCode::missing_input, "{}: cannot open: {}",
          path, std::strerror(reason));
  std::ostringstream text;
  text << in.rdbuf();
  require(!in.bad(), ExitCode::io_error, "{}: read failed: {}", path, std::strerror(errno));
  return text.str();
}

std::string sha256_of_text(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes.data(), bytes.size());
  return hash.hex();
}

std::string sha256_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  require(in.good(), ExitCode::missing_input, "{}: cannot open: {}", path, std::strerror(errno));
  Sha256 hash;
  std::vector<char> buffer(1 << 20);
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
    hash.add(buffer.data(), static_cast<std::size_t>(in.gcount()));
  }
  require(!in.bad(), ExitCode::io_error, "{}: read failed: {}", path, std::strerror(errno));
  return hash.hex();
}

}  // namespace mosaic

#include "base/files.hpp"

#include <fcntl.h>
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

struct RemoveUnlessKept {
  std::string path;
  bool kept = false;
  ~RemoveUnlessKept() {
    if (!kept) {
      unlink(path.c_str());
    }
  }
};

}  // namespace

void write_file_atomically(const std::string& path, const std::function<void(const std::string&)>& write) {
  RemoveUnlessKept temporary{path + ".tmp" + std::to_string(getpid())};
  write(temporary.path);
  sync_path(temporary.path, O_RDONLY);
  const int renamed = std::rename(temporary.path.c_str(), path.c_str());  // errno is read after it
  require(renamed == 0, ExitCode::io_error, "{}: cannot rename the finished file into place: {}", path,
          std::strerror(errno));
  temporary.kept = true;
  const auto folder = std::filesystem::path(path).parent_path();
  sync_path(folder.empty() ? "." : folder.string(), O_RDONLY | O_DIRECTORY);
}

void write_text_atomically(const std::string& path, std::string_view text) {
  write_file_atomically(path, [&](const std::string& temporary) {
    std::ofstream out(temporary, std::ios::binary);
    require(out.good(), ExitCode::cannot_create, "{}: cannot create: {}", path, std::strerror(errno));
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.close();
    require(out.good(), ExitCode::io_error, "{}: write failed: {}", path, std::strerror(errno));
  });
}

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  require(in.good(), ExitCode::missing_input, "{}: cannot open: {}", path, std::strerror(errno));
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

#include "stores/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.hpp"

namespace mosaic {

namespace {

struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) {
      close(value);
    }
  }
};

}  // namespace

MappedFile::MappedFile(std::string path) : path_(std::move(path)) {
  const Descriptor file{open(path_.c_str(), O_RDONLY | O_CLOEXEC)};
  require(file.value >= 0, ExitCode::missing_input, "{}: cannot open: {}", path_, std::strerror(errno));
  struct stat status {};
  const int result = fstat(file.value, &status);  // errno is read after it
  require(result == 0, ExitCode::io_error, "{}: cannot read its size: {}", path_, std::strerror(errno));
  require(S_ISREG(status.st_mode), ExitCode::missing_input, "{}: is not a regular file", path_);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) {
    return;
  }
  void* start = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value, 0);
  require(start != MAP_FAILED, ExitCode::io_error, "{}: cannot map into memory: {}", path_,
          std::strerror(errno));
  bytes_ = {static_cast<const std::byte*>(start), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) {
    munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }
}

}  // namespace mosaic

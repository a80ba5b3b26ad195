#include "support/golden.hpp"

#include <unistd.h>

#include <cstdlib>
#include <system_error>
#include <vector>

namespace mosaic::test {

namespace fs = std::filesystem;

namespace {

/// Removes the folders when the process that made them ends.
class ScratchFolders {
 public:
  ~ScratchFolders() {
    std::error_code unimportant;
    for (std::size_t i = 0; i < folders_.size() && getpid() == owner_; ++i) {  // a forked child leaves them
      fs::remove_all(folders_[i], unimportant);
    }
  }
  void add(const fs::path& folder) { folders_.push_back(folder); }

 private:
  pid_t owner_ = getpid();
  std::vector<fs::path> folders_;
};

}  // namespace

fs::path golden_dir() {
  const char* source = std::getenv("MOSAIC_SOURCE");
  const fs::path root = source != nullptr ? fs::path(source) : fs::current_path();
  const char* chosen = std::getenv("MOSAIC_GOLDEN_DIR");
  return chosen != nullptr && *chosen != '\0' ? root / chosen : root / "tests" / "golden";
}

std::optional<fs::path> find_golden(const std::string& relative) {
  fs::path path = golden_dir() / relative;
  if (fs::exists(path)) {
    return path;
  }
  return std::nullopt;
}

fs::path scratch_dir(const std::string& name) {
  const fs::path dir = fs::temp_directory_path() / ("mosaic_test_" + std::to_string(getpid()) + "_" + name);
  fs::remove_all(dir);
  fs::create_directories(dir);
  static ScratchFolders folders;
  folders.add(dir);
  return dir;
}

}  // namespace mosaic::test

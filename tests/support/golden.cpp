#include "support/golden.hpp"

#include <unistd.h>

#include <cstdlib>

namespace mosaic::test {

namespace fs = std::filesystem;

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
  return dir;
}

}  // namespace mosaic::test

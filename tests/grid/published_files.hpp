#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace mosaic::test {

/// A file of config/mosaic in the repository.
inline std::filesystem::path published_file(const std::string& name) {
  const char* source = std::getenv("MOSAIC_SOURCE");
  const std::filesystem::path root = source != nullptr ? source : std::filesystem::current_path();
  return root / "config" / "mosaic" / name;
}

}  // namespace mosaic::test

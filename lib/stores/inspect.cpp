#include "stores/inspect.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "base/error.hpp"

namespace mosaic {

bool is_field_store(const std::string& path) {
  if (std::filesystem::is_directory(path) || path.find_first_of("*,") != std::string::npos) {
    return true;
  }
  std::array<char, 4> start{};
  std::ifstream(path, std::ios::binary).read(start.data(), start.size());
  const std::string_view text(start.data(), start.size());
  return text == "\x89HDF" || text.starts_with("CDF");
}

std::string inspect(const std::string& path, InspectFormat format) {
  return printable(is_field_store(path) ? inspect_fields(path, format) : inspect_tensors(path, format));
}

}  // namespace mosaic

#include "stores/inspect.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "base/error.hpp"
#include "stores/store_kind.hpp"

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
  if (!is_field_store(path)) {
    return printable(inspect_tensors(path, format));
  }
  switch (kind_of_store(path)) {
    case StoreKind::forecasts:
      return printable(inspect_forecasts(path, format));
    case StoreKind::climatology:
      return printable(inspect_climatology(path, format));
    case StoreKind::fields:
      break;
  }
  return printable(inspect_fields(path, format));
}

}  // namespace mosaic

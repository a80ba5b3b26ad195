#include "base/error.hpp"

#include <algorithm>

namespace mosaic {

namespace {

bool is_control(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return (value < 0x20 && byte != '\n' && byte != '\t') || value == 0x7f;
}

}  // namespace

std::string printable(std::string text) {
  if (std::none_of(text.begin(), text.end(), is_control)) {
    return text;
  }
  std::string result;
  for (const char byte : text) {
    result +=
        is_control(byte) ? fmt::format("\\x{:02x}", static_cast<unsigned char>(byte)) : std::string(1, byte);
  }
  return result;
}

}  // namespace mosaic

#include "base/config_values.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace mosaic {

namespace {

/// How the scalar looked, for messages.
std::string as_written(const ConfigScalar& scalar) {
  if (scalar.null) {
    return "nothing";
  }
  return scalar.quoted ? '"' + scalar.text + '"' : "'" + scalar.text + "'";
}

template <class T>
bool parse_number(const ConfigScalar& scalar, T& value) {
  const char* end = scalar.text.data() + scalar.text.size();
  const auto [stop, problem] = std::from_chars(scalar.text.data(), end, value);
  return !scalar.quoted && problem == std::errc() && stop == end;
}

/// True if YAML reads the text back as the same plain scalar, in a list too.
bool is_plain(const std::string& text) {
  const auto word = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '/'; };
  const auto inner = [&](unsigned char c) { return word(c) || c == '-' || c == '+' || c == ':'; };
  if (text.empty() || text == "..." || text.back() == ':' || !word(static_cast<unsigned char>(text[0]))) {
    return false;
  }
  std::string lower(text);
  std::transform(text.begin(), text.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower != "null" && std::all_of(text.begin(), text.end(), inner);
}

}  // namespace

bool ConfigType<bool>::parse(const ConfigScalar& scalar) {
  require(!scalar.quoted && (scalar.text == "true" || scalar.text == "false"), ExitCode::bad_configuration,
          "{} is neither true nor false", as_written(scalar));
  return scalar.text == "true";
}

std::int64_t ConfigType<std::int64_t>::parse(const ConfigScalar& scalar) {
  std::int64_t value = 0;
  require(parse_number(scalar, value), ExitCode::bad_configuration,
          "{} is not a whole number of 64 bits; write it like 24", as_written(scalar));
  return value;
}

int ConfigType<int>::parse(const ConfigScalar& scalar) {
  int value = 0;
  require(parse_number(scalar, value), ExitCode::bad_configuration,
          "{} is not a whole number of 32 bits; write it like 24", as_written(scalar));
  return value;
}

double ConfigType<double>::parse(const ConfigScalar& scalar) {
  double value = 0;
  require(parse_number(scalar, value) && std::isfinite(value), ExitCode::bad_configuration,
          "{} is not a finite number; write it like 0.5 or 1e-3", as_written(scalar));
  return value;
}

std::string ConfigType<double>::print(double value) { return fmt::format("{}", value); }

std::string ConfigType<std::string>::parse(const ConfigScalar& scalar) {
  require(!scalar.null, ExitCode::bad_configuration, "no text is given; write \"\" for an empty one");
  return scalar.text;
}

std::string ConfigType<std::string>::print(const std::string& value) {
  if (is_plain(value)) {
    return value;
  }
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (const auto code = static_cast<unsigned char>(c); code < 0x20 || code == 0x7f) {
      quoted += fmt::format("\\x{:02x}", code);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace mosaic

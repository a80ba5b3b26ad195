#include "fuzz/mutations.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

namespace mosaic::test {

namespace {

using nlohmann::ordered_json;

enum class Endian { little, big };

std::uint64_t number_at(const std::string& bytes, std::size_t position, std::size_t width, Endian endian) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    const std::size_t place = endian == Endian::little ? width - 1 - i : i;
    value = value << 8 | static_cast<std::uint8_t>(bytes[position + place]);
  }
  return value;
}

void put_number(std::string& bytes, std::size_t position, std::size_t width, Endian endian,
                std::uint64_t value) {
  for (std::size_t i = 0; i < width; ++i) {
    const std::size_t place = endian == Endian::little ? i : width - 1 - i;
    bytes[position + place] = static_cast<char>(value >> (8 * i));
  }
}

/// JSON pointers of every value below the root.
void collect(const ordered_json& value, const ordered_json::json_pointer& here,
             std::vector<ordered_json::json_pointer>& places) {
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) {
      const auto place = here / key;
      places.push_back(place);
      collect(item, place, places);
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      const auto place = here / i;
      places.push_back(place);
      collect(value[i], place, places);
    }
  }
}

void remove_at(ordered_json& document, const ordered_json::json_pointer& place) {
  ordered_json& parent = document[place.parent_pointer()];
  if (parent.is_object()) {
    parent.erase(place.back());
  } else {
    parent.erase(static_cast<std::size_t>(std::stoul(place.back())));
  }
}

std::string dump(const ordered_json& document) {
  return document.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

ordered_json awkward_value(Mutator& mutator) {
  ordered_json deep = ordered_json::array();
  for (std::size_t i = 0; i < 200; ++i) {
    deep = ordered_json::array({std::move(deep)});
  }
  const std::array<ordered_json, 18> values = {nullptr,
                                               true,
                                               -1,
                                               0.5,
                                               1e308,
                                               mutator.awkward_number(),
                                               mutator.awkward_number(),
                                               mutator.awkward_number(),
                                               -static_cast<std::int64_t>(mutator.below(1U << 31)),
                                               "",
                                               "x",
                                               std::string(5000, 'y'),
                                               std::string("a\0b", 3),
                                               ordered_json::array(),
                                               ordered_json::object(),
                                               ordered_json::array({1, "two", nullptr}),
                                               ordered_json::object({{"id", "blosc"}}),
                                               deep};
  return values[mutator.below(values.size())];
}

}  // namespace

std::uint64_t Mutator::awkward_number() {
  const std::uint64_t power = std::uint64_t{1} << below(64);
  const std::array<std::uint64_t, 12> numbers = {
      0, 1, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff, INT64_MAX, UINT64_MAX, power, power - 1, power + 1};
  return numbers[below(numbers.size())];
}

std::string Mutator::changed(std::string bytes) {
  for (std::size_t left = 1 + below(3); left > 0; --left) {
    bytes = changed_once(std::move(bytes));
  }
  return bytes;
}

std::string Mutator::changed_once(std::string bytes) {
  if (bytes.empty()) {
    return std::string(1 + below(8), static_cast<char>(random_()));
  }
  const std::size_t position = below(bytes.size());
  const std::size_t count = std::min<std::size_t>(1 + below(32), bytes.size() - position);
  switch (below(9)) {
    case 0:
    case 1:
      return flipped(std::move(bytes), 0, bytes.size());
    case 2:
      bytes[position] = static_cast<char>(random_());
      return bytes;
    case 3:
      bytes.replace(position, count, count, one_in(2) ? '\xff' : '\0');
      return bytes;
    case 4:
      bytes.erase(position, count);
      return bytes;
    case 5:
      bytes.insert(below(bytes.size()), bytes.substr(position, one_in(8) ? bytes.size() : count));
      return bytes;
    case 6: {
      const std::size_t width = std::min<std::size_t>(std::size_t{1} << below(4), bytes.size() - position);
      put_number(bytes, position, width, one_in(4) ? Endian::big : Endian::little, awkward_number());
      return bytes;
    }
    case 7:
      return inflated(std::move(bytes));
    default:
      return cut(std::move(bytes));
  }
}

std::string Mutator::flipped(std::string bytes, std::size_t first, std::size_t count) {
  for (std::size_t left = count == 0 ? 0 : 1 + below(4); left > 0; --left) {
    char& byte = bytes[first + below(count)];
    byte = static_cast<char>(byte ^ (1 << below(8)));
  }
  return bytes;
}

std::string Mutator::inflated(std::string bytes) {
  constexpr int attempts = 64;
  for (int attempt = 0; attempt < attempts && bytes.size() > 8; ++attempt) {
    const std::size_t width = std::size_t{2} << below(3);
    const std::size_t position = below(bytes.size() - width);
    const Endian endian = one_in(4) ? Endian::big : Endian::little;
    const std::uint64_t value = number_at(bytes, position, width, endian);
    if (value > 0 && value <= bytes.size()) {
      put_number(bytes, position, width, endian, value << (1 + below(8 * width - 1)) | below(2));
      return bytes;
    }
  }
  return flipped(std::move(bytes), 0, bytes.size());
}

std::string Mutator::json_edited(const std::string& text) {
  ordered_json document = ordered_json::parse(text, nullptr, false);
  std::vector<ordered_json::json_pointer> places;
  if (!document.is_discarded()) {
    collect(document, ordered_json::json_pointer(), places);
  }
  if (places.empty()) {
    return changed(text);
  }
  const auto place = places[below(places.size())];
  ordered_json& value = document[place];
  switch (below(6)) {
    case 0:
      remove_at(document, place);
      break;
    case 1:
      value = ordered_json::array({value, value});
      break;
    case 2:
      if (value.is_number_unsigned()) {
        value = one_in(2) ? value.get<std::uint64_t>() << (1 + below(40)) : value.get<std::uint64_t>() + 1;
      } else if (value.is_string()) {
        value = changed(value.get<std::string>());
      } else if (value.is_array() && !value.empty()) {
        value.push_back(value[below(value.size())]);
      } else {
        value = awkward_value(*this);
      }
      break;
    case 3: {
      const ordered_json other = document[places[below(places.size())]];
      document[place] = other;
      break;
    }
    case 4:
      if (document[place.parent_pointer()].is_object()) {
        const ordered_json kept = value;
        remove_at(document, place);
        document[place.parent_pointer()][changed(place.back())] = kept;
        break;
      }
      [[fallthrough]];
    default:
      document[place] = awkward_value(*this);
  }
  return dump(document);
}

std::string with_json(const std::string& text, const std::string& pointer, std::string_view value) {
  ordered_json document = ordered_json::parse(text);
  const ordered_json::json_pointer place(pointer);
  if (value == "(remove)") {
    remove_at(document, place);
  } else {
    document[place] = ordered_json::parse(value);
  }
  return dump(document);
}

}  // namespace mosaic::test

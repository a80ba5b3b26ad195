#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>

namespace mosaic::test {

/// The files of a sample, by path relative to its folder.
using Files = std::map<std::string, std::string>;

/// Makes changes that are the same for the same seed, on every machine.
class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  /// 0 ... count - 1; 0 if count is 0.
  std::size_t below(std::size_t count) { return count == 0 ? 0 : random_() % count; }
  bool one_in(std::size_t count) { return below(count) == 0; }
  /// A number that readers stumble over: extremes of all widths, small ones, powers of two and neighbours.
  std::uint64_t awkward_number();

  /// One to three of: flipped bits, changed, removed, repeated and moved bytes, numbers of 1 to 8 bytes
  /// replaced by awkward ones, truncation.
  std::string changed(std::string bytes);
  /// Flips one to four bits in [first, first + count).
  std::string flipped(std::string bytes, std::size_t first, std::size_t count);
  /// Cuts at least one byte off the end.
  std::string cut(std::string bytes) { return bytes.substr(0, below(bytes.size())); }
  /// A number of 2, 4 or 8 bytes, little or big endian, whose value could be a length inside `bytes`, becomes
  /// much larger. As changed() where there is none.
  std::string inflated(std::string bytes);
  /// One place of a JSON text: removed, renamed, doubled, replaced by a value of another kind or an awkward
  /// one. As changed() if it is no JSON.
  std::string json_edited(const std::string& text);
  /// A file of `files`.
  std::string& any(Files& files) {
    return std::next(files.begin(), static_cast<std::ptrdiff_t>(below(files.size())))->second;
  }

 private:
  std::string changed_once(std::string bytes);

  std::mt19937_64 random_;
};

/// `text` with the value at a JSON pointer replaced by the JSON `value`, or removed where it is "(remove)".
std::string with_json(const std::string& text, const std::string& pointer, std::string_view value);

}  // namespace mosaic::test

#include "stores/npz.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "stores/tensor_table.hpp"

namespace mosaic {

namespace {

struct NpyHeader {
  std::string descr;  ///< e.g. <f8
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

/// Reads the header, a Python dict literal with exactly the keys descr, fortran_order and shape.
class HeaderParser {
 public:
  HeaderParser(std::string place, std::string_view text) : place_(std::move(place)), rest_(text) {}

  NpyHeader parse() {
    NpyHeader header;
    bool has_descr = false;
    bool has_order = false;
    bool has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr" && !std::exchange(has_descr, true)) {
        header.descr = quoted();
      } else if (key == "fortran_order" && !std::exchange(has_order, true)) {
        header.fortran_order = truth();
      } else if (key == "shape" && !std::exchange(has_shape, true)) {
        header.shape = sizes();
      } else {
        refuse("an unknown or repeated key");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!rest_.empty() || !has_descr || !has_order || !has_shape) {
      refuse("a missing key or extra text");
    }
    return header;
  }

 private:
  [[noreturn]] void refuse(const char* reason) const {
    fail(ExitCode::corrupt_input, "{}: its NPY header has {} (structured types are not supported)", place_,
         reason);
  }
  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n"), rest_.size())); }
  bool accept(char wanted) {
    skip_space();
    if (!rest_.starts_with(wanted)) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char wanted) {
    if (!accept(wanted)) {
      refuse("an unexpected character");
    }
  }
  std::string quoted() {
    skip_space();
    const char quote = rest_.starts_with('"') ? '"' : '\'';
    expect(quote);
    const std::size_t end = rest_.find(quote);
    if (end == std::string_view::npos) {
      refuse("an open quote");
    }
    std::string text(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return text;
  }
  bool truth() {
    skip_space();
    for (const auto& [word, value] : {std::pair{std::string_view("True"), true}, {"False", false}}) {
      if (rest_.starts_with(word)) {
        rest_.remove_prefix(word.size());
        return value;
      }
    }
    refuse("neither True nor False");
  }
  std::vector<std::int64_t> sizes() {
    std::vector<std::int64_t> values;
    expect('(');
    while (!accept(')')) {
      skip_space();
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
      if (error != std::errc() || value < 0) {
        refuse("a size that is not a whole number >= 0");
      }
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      values.push_back(value);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return values;
  }

  std::string place_;
  std::string_view rest_;
};

/// datetime64 or timedelta64
bool is_time_type(std::string_view descr) {
  return descr.size() > 1 && (descr.substr(1).starts_with("M8") || descr.substr(1).starts_with("m8"));
}

/// The TensorType of an NPY type such as "<f8", or nothing if there is none.
std::optional<TensorType> find_type(std::string_view descr) {
  if (descr.empty() || std::string_view("<>|=").find(descr[0]) == std::string_view::npos) {
    return std::nullopt;
  }
  constexpr std::pair<std::string_view, TensorType> types[] = {
      {"f2", TensorType::float16}, {"f4", TensorType::float32}, {"f8", TensorType::float64},
      {"i1", TensorType::int8},    {"i2", TensorType::int16},   {"i4", TensorType::int32},
      {"i8", TensorType::int64},   {"u1", TensorType::uint8},   {"b1", TensorType::boolean}};
  for (const auto& [name, type] : types) {
    if (descr.substr(1) == name) {
      return type;
    }
  }
  return is_time_type(descr) ? std::optional(TensorType::int64) : std::nullopt;
}

/// Splits an entry into header and data. The header's size is checked against the entry.
std::pair<NpyHeader, std::span<const std::byte>> split_npy(const std::string& place,
                                                           std::span<const std::byte> bytes) {
  require(bytes.size() >= 10 && as_text(bytes.first(6)) == "\x93NUMPY", ExitCode::corrupt_input,
          "{}: is not in NPY format", place);
  const int version = static_cast<int>(bytes[6]);
  require(version >= 1 && version <= 3, ExitCode::corrupt_input, "{}: NPY version {} is not supported", place,
          version);
  const std::size_t start = version == 1 ? 10 : 12;
  require(bytes.size() >= start, ExitCode::corrupt_input, "{}: its NPY header is cut off", place);
  const std::size_t length =
      version == 1 ? load_little<std::uint16_t>(bytes, 8) : load_little<std::uint32_t>(bytes, 8);
  require(length <= bytes.size() - start, ExitCode::corrupt_input,
          "{}: its NPY header states {} bytes, but {} are left", place, length, bytes.size() - start);
  return {HeaderParser(place, as_text(bytes.subspan(start, length))).parse(), bytes.subspan(start + length)};
}

/// Copies first-dimension-fastest data into C order.
std::vector<std::byte> to_c_order(std::span<const std::byte> bytes, std::span<const std::int64_t> shape,
                                  std::size_t item) {
  std::vector<std::size_t> stride(shape.size(), item);
  for (std::size_t d = 1; d < shape.size(); ++d) {
    stride[d] = stride[d - 1] * static_cast<std::size_t>(shape[d - 1]);
  }
  std::vector<std::byte> out(bytes.size());
  std::vector<std::int64_t> index(shape.size(), 0);
  std::size_t from = 0;
  for (std::size_t to = 0; to < out.size(); to += item) {
    std::memcpy(out.data() + to, bytes.data() + from, item);
    for (std::size_t d = shape.size(); d-- > 0;) {
      from += stride[d];
      if (++index[d] < shape[d]) {
        break;
      }
      from -= stride[d] * static_cast<std::size_t>(shape[d]);
      index[d] = 0;
    }
  }
  return out;
}

/// The letters of a single text in UCS-4 (<U19) or bytes (|S19); empty if it is another array or not ASCII.
std::string single_text(const NpyHeader& header, std::span<const std::byte> data) {
  const bool wide = header.descr.starts_with("<U");
  const bool single =
      std::all_of(header.shape.begin(), header.shape.end(), [](auto size) { return size == 1; });
  if (!single || (!wide && !header.descr.starts_with("|S"))) {
    return "";
  }
  std::string text;
  const std::size_t item = wide ? 4 : 1;
  for (std::size_t at = 0; at + item <= data.size(); at += item) {
    const std::uint32_t letter =
        wide ? load_little<std::uint32_t>(data, at) : static_cast<std::uint32_t>(data[at]);
    if (letter > 0x7f) {
      return "";
    }
    if (letter != 0) {
      text += static_cast<char>(letter);
    }
  }
  return text;
}

/// Adds one NPY array to the table. `buffer` holds the bytes if they are not mapped.
void add_npy(TensorTable& table, const std::string& name, const std::string& place,
             std::span<const std::byte> bytes, std::vector<std::byte> buffer) {
  const bool mapped = buffer.empty();
  auto [header, data] = split_npy(place, bytes);
  const auto found = find_type(header.descr);
  if (!found || is_time_type(header.descr)) {
    table.set_metadata(name, "NPY type " + header.descr);
  }
  if (!found) {
    if (const std::string text = single_text(header, data); !text.empty()) {
      table.set_metadata(name + ".text", text);
    }
    return;
  }
  const TensorType type = *found;
  require(tensor_bytes(type, header.shape) == data.size(), ExitCode::corrupt_input,
          "{}: shape and type {} do not fit its {} data bytes", place, header.descr, data.size());
  const std::size_t item = item_size(type);
  const bool swap = header.descr[0] == '>' && item > 1;
  const bool reorder = header.fortran_order && header.shape.size() > 1;
  if (reorder || swap) {
    auto converted = reorder ? to_c_order(data, header.shape, item) : std::vector(data.begin(), data.end());
    if (swap) {
      swap_bytes(converted, item);
    }
    data = table.keep(std::move(converted));
  } else if (!mapped) {
    table.keep(std::move(buffer));  // moving a vector leaves its bytes where they are
  }
  table.add(name, {type, header.shape, data});
}

}  // namespace

std::unique_ptr<TensorFile> read_npz(const std::shared_ptr<const MappedFile>& file, const ZipArchive& archive,
                                     const std::set<std::string>& only) {
  auto table = std::make_unique<TensorTable>(file);
  for (const auto& [name, entry] : archive.entries()) {
    const bool has_suffix = std::string_view(name).ends_with(".npy");
    const std::string plain = has_suffix ? name.substr(0, name.size() - 4) : name;
    if (!only.empty() && !only.contains(plain)) {
      continue;
    }
    std::vector<std::byte> buffer;
    const auto bytes = archive.read(entry, buffer);
    add_npy(*table, plain, file->path() + ": entry " + name, bytes, std::move(buffer));
  }
  return table;
}

std::unique_ptr<TensorFile> read_npy(const std::shared_ptr<const MappedFile>& file) {
  auto table = std::make_unique<TensorTable>(file);
  add_npy(*table, "data", file->path(), file->bytes(), {});
  return table;
}

}  // namespace mosaic

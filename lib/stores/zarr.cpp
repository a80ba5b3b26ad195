#include "stores/zarr.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <limits>
#include <type_traits>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/parallel_for.hpp"
#include "stores/half_float.hpp"
#include "stores/zarr_metadata.hpp"

namespace mosaic {
namespace {

static_assert(std::endian::native == std::endian::little, "chunks are decoded into little-endian items");

namespace fs = std::filesystem;
using Index = std::vector<std::size_t>;

/// Largest box that is read at once [bytes].
constexpr std::size_t largest_read = std::size_t{1} << 36;
/// Largest decoded chunk of variable-length text [bytes].
constexpr std::size_t largest_text_chunk = std::size_t{1} << 24;

std::size_t product(const Index& lengths) {
  std::size_t result = 1;
  for (const std::size_t length : lengths) {
    result *= length;
  }
  return result;
}

/// Distance in items between neighbours along each dimension.
Index strides(const Index& lengths, bool fortran_order) {
  Index result(lengths.size());
  std::size_t step = 1;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const std::size_t d = fortran_order ? i : lengths.size() - 1 - i;
    result[d] = step;
    step *= lengths[d];
  }
  return result;
}

/// Steps `index` through the box [0, counts) in C order; false after the last.
bool advance(Index& index, const Index& counts) {
  for (std::size_t d = counts.size(); d-- > 0;) {
    if (++index[d] < counts[d]) {
      return true;
    }
    index[d] = 0;
  }
  return false;
}

/// The chunks that a box touches: a box in units of chunks.
ZarrBox chunks_of(const ZarrArray& array, const ZarrBox& box) {
  ZarrBox result;
  for (std::size_t d = 0; d < array.shape.size(); ++d) {
    const std::size_t first = box.start[d] / array.chunks[d];
    const std::size_t end = box.start[d] + box.count[d];
    result.start.push_back(first);
    result.count.push_back(box.count[d] == 0 ? 0 : (end - 1) / array.chunks[d] + 1 - first);
  }
  return result;
}

/// All chunk indices of a box in units of chunks, C order.
std::vector<Index> chunk_indices(const ZarrBox& chunks) {
  std::vector<Index> result;
  if (product(chunks.count) == 0) {
    return result;
  }
  Index step(chunks.count.size(), 0);
  do {
    Index index = chunks.start;
    for (std::size_t d = 0; d < index.size(); ++d) {
      index[d] += step[d];
    }
    result.push_back(index);
  } while (advance(step, chunks.count));
  return result;
}

/// name/0.1.2; the chunk of an array without dimensions is name/0.
std::string chunk_file(const ZarrArray& array, const Index& chunk) {
  std::string text = array.name + "/";
  if (chunk.empty()) {
    return text + "0";
  }
  for (std::size_t d = 0; d < chunk.size(); ++d) {
    text += (d == 0 ? "" : array.separator) + std::to_string(chunk[d]);
  }
  return text;
}

void check_box(const std::string& path, const ZarrArray& array, const ZarrBox& box) {
  const std::size_t rank = array.shape.size();
  bool inside = box.start.size() == rank && box.count.size() == rank;
  for (std::size_t d = 0; inside && d < rank; ++d) {
    inside = box.start[d] <= array.shape[d] && box.count[d] <= array.shape[d] - box.start[d];
  }
  require(inside, "{}: array {}: the box to be read is not inside its shape [{}]", path, array.name,
          fmt::join(array.shape, ", "));
  const std::size_t bytes = box.elements() * array.type.item_size;
  require(bytes <= largest_read, ExitCode::corrupt_input,
          "{}: array {}: {} bytes are too many to be read at once", path, array.name, bytes);
}

void swap_items(std::vector<std::byte>& items, std::size_t item_size) {
  for (std::size_t i = 0; i + item_size <= items.size(); i += item_size) {
    std::reverse(items.begin() + static_cast<std::ptrdiff_t>(i),
                 items.begin() + static_cast<std::ptrdiff_t>(i + item_size));
  }
}

/// Little-endian items of one chunk in its own order, or one fill item if the file is absent.
struct ChunkItems {
  std::vector<std::byte> bytes;
  bool absent = false;
};

ChunkItems load_chunk(const std::string& store, const ZarrArray& array, const std::string& file) {
  const std::string path = store + "/" + file;
  if (!fs::exists(path)) {
    return {array.fill, true};
  }
  const std::string encoded = read_text(path);
  const std::size_t expected = array.chunk_elements() * array.type.item_size;
  const std::string where = store + ": array " + array.name + ": " + file;
  ChunkItems chunk{decode_chunk(array.codec, std::as_bytes(std::span(encoded)), expected, where), false};
  require(chunk.bytes.size() == expected, ExitCode::corrupt_input,
          "{}: damaged chunk: decodes to {} bytes, the metadata promise {}; fetch the store again", where,
          chunk.bytes.size(), expected);
  if (array.type.big_endian) {
    const bool unicode = array.type.kind == ZarrKind::unicode;
    swap_items(chunk.bytes, unicode ? sizeof(char32_t) : array.type.item_size);
  }
  return chunk;
}

/// Copies what `chunk` and the box have in common. Shape of out: box.count, C order.
void copy_overlap(const ZarrArray& array, const Index& chunk, const ChunkItems& items, const ZarrBox& box,
                  std::vector<std::byte>& out) {
  const std::size_t rank = array.shape.size();
  const std::size_t size = array.type.item_size;
  const Index from_strides = items.absent ? Index(rank, 0) : strides(array.chunks, array.fortran_order);
  const Index to_strides = strides(box.count, false);
  std::size_t from = 0;
  std::size_t to = 0;
  Index count(rank);
  for (std::size_t d = 0; d < rank; ++d) {
    const std::size_t chunk_start = chunk[d] * array.chunks[d];
    const std::size_t first = std::max(chunk_start, box.start[d]);
    const std::size_t end = std::min(chunk_start + array.chunks[d], box.start[d] + box.count[d]);
    count[d] = end - first;
    from += (first - chunk_start) * from_strides[d];
    to += (first - box.start[d]) * to_strides[d];
  }
  const std::size_t row = rank == 0 ? 1 : count.back();
  const std::size_t row_stride = rank == 0 ? 1 : from_strides.back();
  Index rows = count;
  if (rank > 0) {
    rows.back() = 1;
  }
  Index index(rank, 0);
  do {
    std::size_t source = from;
    std::size_t target = to;
    for (std::size_t d = 0; d + 1 < rank; ++d) {
      source += index[d] * from_strides[d];
      target += index[d] * to_strides[d];
    }
    if (row_stride == 1) {
      std::memcpy(out.data() + target * size, items.bytes.data() + source * size, row * size);
      continue;
    }
    for (std::size_t i = 0; i < row; ++i) {
      std::memcpy(out.data() + (target + i) * size, items.bytes.data() + (source + i * row_stride) * size,
                  size);
    }
  } while (advance(index, rows));
}

/// Calls visit with a null pointer of the C++ type of the items; halves are visited as std::uint16_t of kind
/// floating.
template <class Visit>
void visit_items(const ZarrType& type, Visit&& visit) {
  const bool is_signed = type.kind == ZarrKind::signed_integer;
  switch (type.item_size) {
    case 1:
      return is_signed ? visit(std::int8_t{}) : visit(std::uint8_t{});
    case 2:
      return is_signed ? visit(std::int16_t{}) : visit(std::uint16_t{});
    case 4:
      return type.kind == ZarrKind::floating ? visit(float{})
             : is_signed                     ? visit(std::int32_t{})
                                             : visit(std::uint32_t{});
    default:
      return type.kind == ZarrKind::floating ? visit(double{})
             : is_signed                     ? visit(std::int64_t{})
                                             : visit(std::uint64_t{});
  }
}

template <class Item>
Item item_at(const std::vector<std::byte>& bytes, std::size_t i) {
  Item item;
  std::memcpy(&item, bytes.data() + i * sizeof(Item), sizeof(Item));
  return item;
}

bool is_text(ZarrKind kind) {
  return kind == ZarrKind::bytes || kind == ZarrKind::unicode || kind == ZarrKind::variable_text;
}

/// The text of `length` code points, in UTF-8; zeros at the end do not count.
std::string utf8_from_code_points(const std::vector<std::byte>& bytes, std::size_t first, std::size_t length,
                                  const std::string& where) {
  std::string text;
  while (length > 0 && item_at<std::uint32_t>(bytes, first + length - 1) == 0) {
    --length;
  }
  for (std::size_t i = 0; i < length; ++i) {
    const auto c = item_at<std::uint32_t>(bytes, first + i);
    require(c <= 0x10ffff, ExitCode::corrupt_input, "{}: {:#x} is no Unicode code point", where, c);
    if (c < 0x80) {
      text += static_cast<char>(c);
      continue;
    }
    const int followers = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    constexpr int lead_bytes[] = {0, 0xc0, 0xe0, 0xf0};
    text += static_cast<char>(lead_bytes[followers] | (c >> (6 * followers)));
    for (int f = followers - 1; f >= 0; --f) {
      text += static_cast<char>(0x80 | ((c >> (6 * f)) & 0x3f));
    }
  }
  return text;
}

/// numcodecs' vlen-utf8: the number of texts, then for each its length and bytes; integers little-endian
/// uint32.
std::vector<std::string> split_texts(const std::vector<std::byte>& bytes, std::size_t expected,
                                     const std::string& where) {
  std::size_t at = 0;
  const auto take = [&](std::size_t size) {
    require(size <= bytes.size() - at, ExitCode::corrupt_input, "{}: damaged chunk: its texts end too early",
            where);
    at += size;
    return bytes.data() + at - size;
  };
  const auto number = [&] {
    std::uint32_t value;
    std::memcpy(&value, take(sizeof(value)), sizeof(value));
    return value;
  };
  const std::size_t texts = number();
  require(texts == expected, ExitCode::corrupt_input, "{}: damaged chunk: {} texts, the metadata promise {}",
          where, texts, expected);
  std::vector<std::string> result;
  for (std::size_t i = 0; i < texts; ++i) {
    const std::size_t length = number();
    result.emplace_back(reinterpret_cast<const char*>(take(length)), length);
  }
  return result;
}

/// A whole array of dtype |O with the filter vlen-utf8.
std::vector<std::string> read_variable_text(const std::string& store, const ZarrArray& source) {
  const std::string where = store + ": array " + source.name;
  require(source.shape.size() == 1, ExitCode::corrupt_input,
          "{}: variable-length text is read from arrays of one dimension only", where);
  std::vector<std::string> values(source.elements());
  const std::size_t chunk_length = source.chunks.front();
  for (const Index& chunk : chunk_indices(chunks_of(source, ZarrBox::all(source)))) {
    const std::string file = chunk_file(source, chunk);
    if (!fs::exists(store + "/" + file)) {
      continue;  // the fill value is the empty text
    }
    const std::string encoded = read_text(store + "/" + file);
    const auto bytes = decode_chunk(source.codec, std::as_bytes(std::span(encoded)), largest_text_chunk,
                                    where + ": " + file);
    const auto texts = split_texts(bytes, chunk_length, where + ": " + file);
    for (std::size_t i = 0; i < texts.size() && chunk.front() * chunk_length + i < values.size(); ++i) {
      values[chunk.front() * chunk_length + i] = texts[i];
    }
  }
  return values;
}

}  // namespace

std::size_t ZarrArray::elements() const { return product(shape); }

std::size_t ZarrArray::chunk_elements() const { return product(chunks); }

std::string ZarrArray::attribute(const std::string& key) const {
  const auto found = text_attributes.find(key);
  return found == text_attributes.end() ? "" : found->second;
}

std::size_t ZarrBox::elements() const { return product(count); }

ZarrStore::ZarrStore(std::string path) : path_(std::move(path)) {
  for (const auto& [name, texts] : load_zarr_texts(path_)) {
    metadata_text_ += name + "\n" + texts.array + "\n" + texts.attributes + "\n";
    try {
      arrays_.emplace(name, parse_zarr_array(path_, name, texts));
    } catch (const Error& error) {
      refused_.emplace(name, error.what());
    }
  }
}

std::vector<std::string> ZarrStore::names() const {
  std::vector<std::string> result;
  for (const auto& [name, array] : arrays_) {
    result.push_back(name);
  }
  for (const auto& [name, reason] : refused_) {
    result.push_back(name);
  }
  std::sort(result.begin(), result.end());
  return result;
}

const ZarrArray& ZarrStore::array(const std::string& name) const {
  if (const auto refused = refused_.find(name); refused != refused_.end()) {
    throw Error(ExitCode::corrupt_input, refused->second);
  }
  const auto found = arrays_.find(name);
  require(found != arrays_.end(), ExitCode::missing_input, "{}: no array {}; there are: {}", path_, name,
          fmt::join(names(), ", "));
  return found->second;
}

std::vector<std::byte> ZarrStore::read_bytes(const std::string& name, const ZarrBox& box, int threads) const {
  const ZarrArray& source = array(name);
  require(source.type.kind != ZarrKind::variable_text, "{}: array {} has no items of fixed size", path_,
          name);
  check_box(path_, source, box);
  std::vector<std::byte> out(box.elements() * source.type.item_size);
  const std::vector<Index> chunks = chunk_indices(chunks_of(source, box));
  parallel_for(chunks.size(), threads, [&](std::size_t i) {
    const ChunkItems items = load_chunk(path_, source, chunk_file(source, chunks[i]));
    copy_overlap(source, chunks[i], items, box, out);
  });
  return out;
}

template <class Value>
std::vector<Value> ZarrStore::read_values(const std::string& name, const ZarrBox& box, int threads) const {
  const ZarrArray& source = array(name);
  require(!is_text(source.type.kind), ExitCode::corrupt_input, "{}: array {} holds text, not numbers", path_,
          name);
  const std::vector<std::byte> bytes = read_bytes(name, box, threads);
  std::vector<Value> values(box.elements());
  const bool packed = source.scale_factor || source.add_offset;
  const double scale = source.scale_factor.value_or(1.0);
  const double offset = source.add_offset.value_or(0.0);
  const bool half = source.type.kind == ZarrKind::floating && source.type.item_size == sizeof(std::uint16_t);
  visit_items(source.type, [&](auto type) {
    using Item = decltype(type);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto item = item_at<Item>(bytes, i);
      Value value = static_cast<Value>(item);
      if constexpr (std::is_same_v<Item, std::uint16_t>) {
        value = half ? static_cast<Value>(float_from_half(item)) : value;
      }
      const bool missing = std::any_of(source.missing_values.begin(), source.missing_values.end(),
                                       [&](double marker) { return value == static_cast<Value>(marker); });
      if (missing) {
        values[i] = std::numeric_limits<Value>::quiet_NaN();
      } else {
        values[i] = packed ? static_cast<Value>(static_cast<double>(value) * scale + offset) : value;
      }
    }
  });
  return values;
}

std::vector<float> ZarrStore::read_float(const std::string& name, const ZarrBox& box, int threads) const {
  return read_values<float>(name, box, threads);
}

std::vector<double> ZarrStore::read_double(const std::string& name, const ZarrBox& box, int threads) const {
  return read_values<double>(name, box, threads);
}

std::vector<std::int64_t> ZarrStore::read_int64(const std::string& name) const {
  const ZarrArray& source = array(name);
  const bool packed = source.scale_factor || source.add_offset;
  require(!is_text(source.type.kind) && source.type.kind != ZarrKind::floating && !packed,
          ExitCode::corrupt_input, "{}: array {} does not hold integers", path_, name);
  const ZarrBox box = ZarrBox::all(source);
  const std::vector<std::byte> bytes = read_bytes(name, box, 1);
  std::vector<std::int64_t> values(box.elements());
  visit_items(source.type, [&](auto type) {
    using Item = decltype(type);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto item = item_at<Item>(bytes, i);
      if constexpr (std::is_same_v<Item, std::uint64_t>) {
        require(item <= INT64_MAX, ExitCode::corrupt_input, "{}: array {}: {} is too large", path_, name,
                item);
      }
      values[i] = static_cast<std::int64_t>(item);
    }
  });
  return values;
}

std::vector<std::string> ZarrStore::read_strings(const std::string& name) const {
  const ZarrArray& source = array(name);
  const std::string where = path_ + ": array " + name;
  require(is_text(source.type.kind), ExitCode::corrupt_input, "{} does not hold text", where);
  const ZarrBox box = ZarrBox::all(source);
  require(box.elements() <= largest_text_chunk, ExitCode::corrupt_input, "{}: {} texts are too many", where,
          box.elements());
  if (source.type.kind == ZarrKind::variable_text) {
    return read_variable_text(path_, source);
  }
  std::vector<std::string> values(box.elements());
  const std::vector<std::byte> bytes = read_bytes(name, box, 1);
  const std::size_t size = source.type.item_size;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (source.type.kind == ZarrKind::unicode) {
      const std::size_t length = size / sizeof(std::uint32_t);
      values[i] = utf8_from_code_points(bytes, i * length, length, where);
    } else {
      values[i].assign(reinterpret_cast<const char*>(bytes.data()) + i * size, size);
      values[i].erase(values[i].find_last_not_of('\0') + 1);
    }
  }
  return values;
}

std::vector<std::string> ZarrStore::absent_chunks(const std::string& name, const ZarrBox& box) const {
  const ZarrArray& source = array(name);
  check_box(path_, source, box);
  std::vector<std::string> result;
  for (const Index& chunk : chunk_indices(chunks_of(source, box))) {
    const std::string file = chunk_file(source, chunk);
    if (!fs::exists(path_ + "/" + file)) {
      result.push_back(file);
    }
  }
  return result;
}

}  // namespace mosaic

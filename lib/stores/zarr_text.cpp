#include "stores/zarr_text.hpp"

#include <cstdint>
#include <cstring>

#include "base/error.hpp"
#include "stores/zarr_chunks.hpp"

namespace mosaic {
namespace {

/// UCS-4 to UTF-8; zeros at the end do not count.
std::string utf8_from_code_points(std::span<const std::byte> bytes, const std::string& where) {
  const auto code_point = [&](std::size_t i) {
    std::uint32_t value;
    std::memcpy(&value, bytes.data() + i * sizeof(value), sizeof(value));
    return value;
  };
  std::string text;
  std::size_t length = bytes.size() / sizeof(std::uint32_t);
  while (length > 0 && code_point(length - 1) == 0) {
    --length;
  }
  for (std::size_t i = 0; i < length; ++i) {
    const std::uint32_t c = code_point(i);
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

}  // namespace

bool is_text(ZarrKind kind) {
  return kind == ZarrKind::bytes || kind == ZarrKind::unicode || kind == ZarrKind::variable_text;
}

std::vector<std::string> texts_of_items(const ZarrType& type, std::span<const std::byte> items,
                                        std::size_t count, const std::string& where) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    const auto item = items.subspan(i * type.item_size, type.item_size);
    if (type.kind == ZarrKind::unicode) {
      texts.push_back(utf8_from_code_points(item, where));
      continue;
    }
    std::string text(reinterpret_cast<const char*>(item.data()), item.size());
    text.erase(text.find_last_not_of('\0') + 1);
    texts.push_back(std::move(text));
  }
  return texts;
}

std::vector<std::string> read_variable_text(const std::string& store, const ZarrArray& array,
                                            const ChecksumManifest* checksums) {
  const std::string where = store + ": array " + array.name;
  require(array.shape.size() == 1, ExitCode::corrupt_input,
          "{}: variable-length text is read from arrays of one dimension only", where);
  check_box(store, array, ZarrBox::all(array));
  std::vector<std::string> values(array.elements());
  const std::size_t chunk_length = array.chunks.front();
  const ZarrChunks chunks(array, ZarrBox::all(array));
  for (std::size_t c = 0; c < chunks.size(); ++c) {
    const ZarrIndex chunk = chunks[c];
    const std::string file = chunk_file(array, chunk);
    const auto encoded = stored_chunk(store, file, checksums);
    if (!encoded) {
      continue;  // the fill value is the empty text
    }
    const auto bytes = decode_chunk(array.codec, std::as_bytes(std::span(*encoded)), largest_text_chunk,
                                    where + ": " + file);
    const auto texts = split_texts(bytes, chunk_length, where + ": " + file);
    for (std::size_t i = 0; i < texts.size() && chunk.front() * chunk_length + i < values.size(); ++i) {
      values[chunk.front() * chunk_length + i] = texts[i];
    }
  }
  return values;
}

}  // namespace mosaic

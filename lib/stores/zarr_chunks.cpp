#include "stores/zarr_chunks.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/parallel_for.hpp"

namespace mosaic {
namespace {

static_assert(std::endian::native == std::endian::little, "chunks are decoded into little-endian items");

namespace fs = std::filesystem;
using Index = ZarrIndex;

/// Largest box that is read at once [bytes].
constexpr std::size_t largest_read = std::size_t{1} << 36;
/// Most chunks that one read touches: more than hours since 1900 in a time axis of one chunk each.
constexpr std::size_t most_chunks = std::size_t{1} << 21;
/// What a box may take beyond what its chunks on disk decode to: absent chunks are the fill value [bytes].
constexpr std::size_t free_claim = std::size_t{1} << 25;
/// Bytes that one stored byte decodes to at most: zstd stores a run of 128 KiB in 4 bytes.
constexpr std::size_t largest_ratio = std::size_t{1} << 15;

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

ChunkItems load_chunk(const std::string& store, const ZarrArray& array, const std::string& file,
                      const ChecksumManifest* checksums) {
  const auto encoded = stored_chunk(store, file, checksums);
  if (!encoded) {
    return {array.fill, true};
  }
  const std::size_t expected = array.chunk_elements() * array.type.item_size;
  const std::string where = store + ": array " + array.name + ": " + file;
  ChunkItems chunk{decode_chunk(array.codec, std::as_bytes(std::span(*encoded)), expected, where), false};
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

/// The metadata alone must not decide how much memory a read takes. Errors: corrupt_input if the chunks on
/// disk are far too small for the box.
void check_claim(const std::string& store, const ZarrArray& array, const ZarrBox& box) {
  const std::size_t claimed = box.elements() * array.type.item_size;
  if (claimed <= free_claim) {
    return;
  }
  const ZarrChunks chunks(array, box);
  std::size_t believed = free_claim;
  for (std::size_t i = 0; i < chunks.size() && believed < claimed; ++i) {
    std::error_code absent;
    const auto size = fs::file_size(store + "/" + chunk_file(array, chunks[i]), absent);
    believed += absent ? 0 : std::min<std::size_t>(size, largest_chunk) * largest_ratio;
  }
  require(believed >= claimed, ExitCode::corrupt_input,
          "{}: array {}: the metadata promise {} bytes, far more than its chunks on disk can hold", store,
          array.name, claimed);
}

}  // namespace

std::size_t ZarrArray::elements() const { return product(shape); }

std::size_t ZarrArray::chunk_elements() const { return product(chunks); }

std::size_t ZarrBox::elements() const { return product(count); }

void check_box(const std::string& store, const ZarrArray& array, const ZarrBox& box) {
  const std::size_t rank = array.shape.size();
  bool inside = box.start.size() == rank && box.count.size() == rank;
  for (std::size_t d = 0; inside && d < rank; ++d) {
    inside = box.start[d] <= array.shape[d] && box.count[d] <= array.shape[d] - box.start[d];
  }
  require(inside, "{}: array {}: the box to be read is not inside its shape [{}]", store, array.name,
          fmt::join(array.shape, ", "));
  const std::size_t bytes = box.elements() * array.type.item_size;
  require(bytes <= largest_read, ExitCode::corrupt_input,
          "{}: array {}: {} bytes are too many to be read at once", store, array.name, bytes);
  const std::size_t chunks = ZarrChunks(array, box).size();
  require(chunks <= most_chunks, ExitCode::corrupt_input,
          "{}: array {}: {} chunks are too many to be read at once", store, array.name, chunks);
}

ZarrChunks::ZarrChunks(const ZarrArray& array, const ZarrBox& box)
    : box_(chunks_of(array, box)), size_(product(box_.count)) {}

ZarrIndex ZarrChunks::operator[](std::size_t i) const {
  ZarrIndex index = box_.start;
  for (std::size_t d = index.size(); d-- > 0;) {
    index[d] += i % box_.count[d];
    i /= box_.count[d];
  }
  return index;
}

std::string chunk_file(const ZarrArray& array, const ZarrIndex& chunk) {
  std::string text = array.name + "/";
  if (chunk.empty()) {
    return text + "0";
  }
  for (std::size_t d = 0; d < chunk.size(); ++d) {
    text += (d == 0 ? "" : array.separator) + std::to_string(chunk[d]);
  }
  return text;
}

std::optional<std::string> stored_chunk(const std::string& store, const std::string& file,
                                        const ChecksumManifest* checksums) {
  const std::string path = store + "/" + file;
  if (!fs::exists(path)) {
    require(checksums == nullptr || !checksums->lists(file), ExitCode::missing_input,
            "{}: is in the checksum manifest, but absent; fetch it again", path);
    return std::nullopt;
  }
  std::string bytes = read_text(path);
  if (checksums != nullptr) {
    checksums->check(file, bytes, path);
  }
  return bytes;
}

std::vector<std::byte> read_box(const std::string& store, const ZarrArray& array, const ZarrBox& box,
                                int threads, const ChecksumManifest* checksums) {
  check_claim(store, array, box);
  std::vector<std::byte> out(box.elements() * array.type.item_size);
  const ZarrChunks chunks(array, box);
  parallel_for(chunks.size(), threads, [&](std::size_t i) {
    const ZarrIndex chunk = chunks[i];
    copy_overlap(array, chunk, load_chunk(store, array, chunk_file(array, chunk), checksums), box, out);
  });
  return out;
}

}  // namespace mosaic

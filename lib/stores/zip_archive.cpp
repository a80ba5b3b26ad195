#include "stores/zip_archive.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.hpp"
#include "stores/tensor_table.hpp"

namespace mosaic {

namespace {

// Layout: PKWARE APPNOTE 6.3, sections 4.3.7 (local header), 4.3.12 (directory), 4.3.14 to 4.3.16 (end
// records).
constexpr std::uint32_t local_magic = 0x04034b50;
constexpr std::uint32_t directory_magic = 0x02014b50;
constexpr std::uint32_t end_magic = 0x06054b50;
constexpr std::uint32_t end64_magic = 0x06064b50;
constexpr std::uint32_t locator64_magic = 0x07064b50;
constexpr std::size_t local_size = 30;
constexpr std::size_t directory_size = 46;
constexpr std::size_t end_size = 22;
constexpr std::size_t end64_size = 56;
constexpr std::size_t locator64_size = 20;
constexpr std::uint32_t in_zip64 = 0xffffffff;
// Deflate codes at most 258 bytes in 2 bits.
constexpr std::size_t largest_ratio = 1032;

struct Directory {
  std::uint64_t entries = 0;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
};

std::size_t find_end_record(const std::string& path, std::span<const std::byte> file) {
  require(file.size() >= end_size, ExitCode::corrupt_input, "{}: zip: only {} bytes", path, file.size());
  const std::size_t last = file.size() - end_size;
  const std::size_t first = last > 0xffff ? last - 0xffff : 0;
  for (std::size_t position = last + 1; position-- > first;) {
    if (load_little<std::uint32_t>(file, position) == end_magic) {
      return position;
    }
  }
  fail(ExitCode::corrupt_input, "{}: zip: the directory at the end is absent; the file may be truncated",
       path);
}

Directory find_directory(const std::string& path, std::span<const std::byte> file) {
  const std::size_t end = find_end_record(path, file);
  Directory directory{load_little<std::uint16_t>(file, end + 10), load_little<std::uint32_t>(file, end + 12),
                      load_little<std::uint32_t>(file, end + 16)};
  const bool has_locator =
      end >= locator64_size && load_little<std::uint32_t>(file, end - locator64_size) == locator64_magic;
  if (has_locator) {
    const auto position = load_little<std::uint64_t>(file, end - locator64_size + 8);
    require(file.size() >= end64_size && position <= file.size() - end64_size &&
                load_little<std::uint32_t>(file, position) == end64_magic,
            ExitCode::corrupt_input, "{}: zip: its zip64 end record is not where it is said to be", path);
    directory = {load_little<std::uint64_t>(file, position + 32),
                 load_little<std::uint64_t>(file, position + 40),
                 load_little<std::uint64_t>(file, position + 48)};
  }
  require(directory.offset <= end && directory.size <= end - directory.offset, ExitCode::corrupt_input,
          "{}: zip: its directory lies outside the file", path);
  require(directory.entries <= directory.size / directory_size, ExitCode::corrupt_input,
          "{}: zip: {} entries do not fit a directory of {} bytes", path, directory.entries, directory.size);
  return directory;
}

/// Replaces sizes and offset that say "see zip64" by those of the extra field. Order: APPNOTE 4.5.3.
void apply_zip64(const std::string& path, std::span<const std::byte> extra, ZipEntry& entry) {
  std::size_t* const wide[] = {&entry.size, &entry.stored_size, &entry.local_header};
  if (std::ranges::none_of(wide, [](const std::size_t* value) { return *value == in_zip64; })) {
    return;
  }
  while (extra.size() >= 4) {
    const auto tag = load_little<std::uint16_t>(extra, 0);
    const std::size_t length = load_little<std::uint16_t>(extra, 2);
    require(length <= extra.size() - 4, ExitCode::corrupt_input, "{}: entry {}: its extra field is cut off",
            path, entry.name);
    auto field = extra.subspan(4, length);
    extra = extra.subspan(4 + length);
    if (tag != 1) {
      continue;
    }
    for (std::size_t* value : wide) {
      if (*value == in_zip64) {
        require(field.size() >= 8, ExitCode::corrupt_input, "{}: entry {}: its zip64 field is too short",
                path, entry.name);
        *value = load_little<std::uint64_t>(field, 0);
        field = field.subspan(8);
      }
    }
    return;
  }
  fail(ExitCode::corrupt_input, "{}: entry {}: its zip64 field is absent", path, entry.name);
}

/// Checks the local header and finds where the data begin.
void locate_data(const std::string& path, std::span<const std::byte> file, ZipEntry& entry) {
  require(file.size() >= local_size && entry.local_header <= file.size() - local_size &&
              load_little<std::uint32_t>(file, entry.local_header) == local_magic,
          ExitCode::corrupt_input, "{}: entry {}: its header is not where the directory says", path,
          entry.name);
  const std::size_t name_length = load_little<std::uint16_t>(file, entry.local_header + 26);
  const std::size_t extra_length = load_little<std::uint16_t>(file, entry.local_header + 28);
  const auto rest = file.subspan(entry.local_header + local_size);
  require(name_length + extra_length <= rest.size() && as_text(rest.first(name_length)) == entry.name,
          ExitCode::corrupt_input, "{}: entry {}: its own header carries another name", path, entry.name);
  entry.data = entry.local_header + local_size + name_length + extra_length;
  require(entry.stored_size <= file.size() - entry.data, ExitCode::corrupt_input,
          "{}: entry {}: its {} bytes do not lie inside the file", path, entry.name, entry.stored_size);
}

void check_method(const std::string& path, int flags, int method, ZipEntry& entry) {
  require((flags & 1) == 0, ExitCode::corrupt_input, "{}: entry {}: is encrypted", path, entry.name);
  require(method == 0 || method == 8, ExitCode::corrupt_input,
          "{}: entry {}: compression method {} is not supported (only stored and deflate)", path, entry.name,
          method);
  entry.deflated = method == 8;
  require(entry.deflated || entry.size == entry.stored_size, ExitCode::corrupt_input,
          "{}: entry {}: stored, but its two sizes {} and {} differ", path, entry.name, entry.stored_size,
          entry.size);
  require(entry.size / largest_ratio <= entry.stored_size, ExitCode::corrupt_input,
          "{}: entry {}: {} bytes cannot come out of {} deflated ones", path, entry.name, entry.size,
          entry.stored_size);
}

/// Reads one directory record at the start of `rest` and moves `rest` behind it.
ZipEntry read_record(const std::string& path, std::span<const std::byte> file,
                     std::span<const std::byte>& rest) {
  require(rest.size() >= directory_size && load_little<std::uint32_t>(rest, 0) == directory_magic,
          ExitCode::corrupt_input, "{}: zip: its directory is damaged", path);
  const std::size_t name_length = load_little<std::uint16_t>(rest, 28);
  const std::size_t extra_length = load_little<std::uint16_t>(rest, 30);
  const std::size_t comment_length = load_little<std::uint16_t>(rest, 32);
  require(name_length + extra_length + comment_length <= rest.size() - directory_size,
          ExitCode::corrupt_input, "{}: zip: its directory is cut off", path);
  ZipEntry entry;
  entry.name = as_text(rest.subspan(directory_size, name_length));
  entry.crc = load_little<std::uint32_t>(rest, 16);
  entry.stored_size = load_little<std::uint32_t>(rest, 20);
  entry.size = load_little<std::uint32_t>(rest, 24);
  entry.local_header = load_little<std::uint32_t>(rest, 42);
  apply_zip64(path, rest.subspan(directory_size + name_length, extra_length), entry);
  check_method(path, load_little<std::uint16_t>(rest, 8), load_little<std::uint16_t>(rest, 10), entry);
  locate_data(path, file, entry);
  rest = rest.subspan(directory_size + name_length + extra_length + comment_length);
  return entry;
}

void require_no_overlap(const std::string& path, const std::map<std::string, ZipEntry>& entries) {
  std::vector<const ZipEntry*> ordered;
  for (const auto& [name, entry] : entries) {
    ordered.push_back(&entry);
  }
  std::ranges::sort(ordered, {}, &ZipEntry::local_header);
  for (std::size_t i = 1; i < ordered.size(); ++i) {
    require(ordered[i - 1]->data + ordered[i - 1]->stored_size <= ordered[i]->local_header,
            ExitCode::corrupt_input, "{}: entries {} and {}: their data overlap", path, ordered[i - 1]->name,
            ordered[i]->name);
  }
}

/// Decodes a raw deflate stream that must fill `out` exactly.
bool inflate_exactly(std::span<const std::byte> in, std::span<std::byte> out) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
    return false;
  }
  constexpr std::size_t largest_step = std::numeric_limits<uInt>::max();
  std::size_t read = 0;
  std::size_t written = 0;
  int result = Z_OK;
  std::byte beyond{};  // zlib wants a valid place even when nothing is left to fill
  while (result == Z_OK) {
    const std::size_t in_step = std::min(in.size() - read, largest_step);
    const std::size_t out_step = std::min(out.size() - written, largest_step);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data() + read));
    stream.avail_in = static_cast<uInt>(in_step);
    stream.next_out = reinterpret_cast<Bytef*>(out_step > 0 ? out.data() + written : &beyond);
    stream.avail_out = static_cast<uInt>(out_step);
    result = inflate(&stream, Z_NO_FLUSH);
    read += in_step - stream.avail_in;
    written += out_step - stream.avail_out;
  }
  inflateEnd(&stream);
  return result == Z_STREAM_END && written == out.size() && read == in.size();
}

}  // namespace

ZipArchive::ZipArchive(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {
  const auto bytes = file_->bytes();
  const Directory directory = find_directory(path(), bytes);
  auto rest = bytes.subspan(directory.offset, directory.size);
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    ZipEntry entry = read_record(path(), bytes, rest);
    const std::string name = entry.name;
    require(entries_.emplace(name, std::move(entry)).second, ExitCode::corrupt_input,
            "{}: entry {}: the name occurs twice", path(), name);
  }
  require_no_overlap(path(), entries_);
}

const ZipEntry* ZipArchive::find(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

std::span<const std::byte> ZipArchive::read(const ZipEntry& entry, std::vector<std::byte>& buffer) const {
  auto bytes = file_->bytes().subspan(entry.data, entry.stored_size);
  if (entry.deflated) {
    buffer.resize(entry.size);
    require(inflate_exactly(bytes, buffer), ExitCode::corrupt_input,
            "{}: entry {}: its deflated data are damaged", path(), entry.name);
    bytes = buffer;
  }
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  require(crc == entry.crc, ExitCode::corrupt_input, "{}: entry {}: its checksum is {:08x}, expected {:08x}",
          path(), entry.name, crc, entry.crc);
  return bytes;
}

}  // namespace mosaic

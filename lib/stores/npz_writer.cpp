#include "stores/npz_writer.hpp"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstdint>

#include "base/error.hpp"
#include "base/files.hpp"

namespace mosaic {
namespace {

static_assert(std::endian::native == std::endian::little);

/// The lowest `bytes` bytes of a number.
void append(std::string& text, std::uint64_t number, int bytes) {
  for (int k = 0; k < bytes; ++k) {
    text += static_cast<char>(number >> (8 * k) & 0xFFU);
  }
}

/// NPY format 1.0: magic, length of the header, header padded to 64 bytes, items.
std::string npy_of(const NpzVector& vector) {
  std::size_t width = 1;
  for (const std::string& text : vector.texts) {
    width = std::max(width, text.size());
  }
  const bool is_text = !vector.texts.empty();
  const std::string type = is_text ? fmt::format("|S{}", width) : "<f8";
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({},), }}", type,
                                   is_text ? vector.texts.size() : vector.numbers.size());
  constexpr std::size_t prefix = 10;
  constexpr std::size_t alignment = 64;
  header.append(alignment - 1 - (prefix + header.size()) % alignment, ' ');
  header += '\n';
  std::string npy = "\x93NUMPY";
  append(npy, 1, 2);  // version 1.0
  append(npy, header.size(), 2);
  npy += header;
  for (const std::string& text : vector.texts) {
    npy += text + std::string(width - text.size(), '\0');
  }
  npy.append(reinterpret_cast<const char*>(vector.numbers.data()),
             is_text ? 0 : vector.numbers.size() * sizeof(double));
  return npy;
}

/// What local header and directory of a zip file both say of an entry.
std::string description(const std::string& name, const std::string& bytes) {
  constexpr int version = 20;
  constexpr int first_of_january_1980 = 0x21;
  std::string text;
  append(text, version, 2);
  append(text, 0, 2);  // flags
  append(text, 0, 2);  // stored
  append(text, 0, 2);
  append(text, first_of_january_1980, 2);
  append(text, crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()), 4);
  append(text, bytes.size(), 4);
  append(text, bytes.size(), 4);
  append(text, name.size(), 2);
  append(text, 0, 2);  // extra field
  return text;
}

}  // namespace

void write_npz(const std::string& path, const std::vector<NpzVector>& vectors) {
  constexpr std::uint64_t local_header = 0x04034b50;
  constexpr std::uint64_t directory_header = 0x02014b50;
  constexpr std::uint64_t end_of_directory = 0x06054b50;
  constexpr int version = 20;
  std::string file, directory;
  for (const NpzVector& vector : vectors) {
    const std::string name = vector.name + ".npy";
    const std::string bytes = npy_of(vector);
    append(directory, directory_header, 4);
    append(directory, version, 2);
    directory += description(name, bytes);
    directory.append(10, '\0');  // comment, disk, attributes
    append(directory, file.size(), 4);
    directory += name;
    append(file, local_header, 4);
    file += description(name, bytes) + name + bytes;
  }
  require(file.size() + directory.size() < UINT32_MAX, "{}: {} bytes are too many for a plain zip file", path,
          file.size());
  const std::size_t start = file.size();
  file += directory;
  append(file, end_of_directory, 4);
  append(file, 0, 4);  // disks
  append(file, vectors.size(), 2);
  append(file, vectors.size(), 2);
  append(file, directory.size(), 4);
  append(file, start, 4);
  append(file, 0, 2);  // comment
  write_text_atomically(path, file);
}

}  // namespace mosaic

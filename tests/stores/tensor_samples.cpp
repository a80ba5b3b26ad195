#include "tensor_samples.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <random>

namespace mosaic::test {

namespace {

std::string deflate_raw(const std::string& data) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, data.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::uint32_t crc_of(const std::string& data) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

/// What the local header and the directory record share.
std::string common_fields(const std::string& data, const std::string& stored, ZipKind kind) {
  const std::uint16_t method = kind == ZipKind::deflated ? 8 : 0;
  const bool wide = kind == ZipKind::zip64;
  return bytes_of<std::uint16_t>(45) + bytes_of<std::uint16_t>(0) + bytes_of(method) +
         bytes_of<std::uint32_t>(0) + bytes_of(crc_of(data)) +
         bytes_of<std::uint32_t>(wide ? 0xffffffff : static_cast<std::uint32_t>(stored.size())) +
         bytes_of<std::uint32_t>(wide ? 0xffffffff : static_cast<std::uint32_t>(data.size()));
}

}  // namespace

std::string write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
  return path.string();
}

std::string safetensors_bytes(const std::string& header, const std::string& data) {
  return bytes_of<std::uint64_t>(header.size()) + header + data;
}

std::string npy_bytes(const std::string& descr, const std::string& shape, const std::string& data,
                      bool fortran_order, int version) {
  const std::string header = "{'descr': '" + descr +
                             "', 'fortran_order': " + (fortran_order ? "True" : "False") +
                             ", 'shape': " + shape + ", }   \n";
  const auto length = version == 1 ? bytes_of(static_cast<std::uint16_t>(header.size()))
                                   : bytes_of(static_cast<std::uint32_t>(header.size()));
  return std::string("\x93NUMPY") + static_cast<char>(version) + '\0' + length + header + data;
}

std::string zip_bytes(const std::vector<ZipItem>& items, ZipKind kind) {
  const bool wide = kind == ZipKind::zip64;
  std::string file;
  std::string directory;
  for (const auto& item : items) {
    const std::string stored = kind == ZipKind::deflated ? deflate_raw(item.data) : item.data;
    const std::string sizes =
        bytes_of<std::uint64_t>(item.data.size()) + bytes_of<std::uint64_t>(stored.size());
    const std::string local_extra =
        wide ? bytes_of<std::uint16_t>(1) + bytes_of<std::uint16_t>(16) + sizes : "";
    const std::string extra = wide ? bytes_of<std::uint16_t>(1) + bytes_of<std::uint16_t>(24) + sizes +
                                         bytes_of<std::uint64_t>(file.size())
                                   : "";
    const std::string fields = common_fields(item.data, stored, kind);
    const std::string name_length = bytes_of(static_cast<std::uint16_t>(item.name.size()));
    directory += "PK\x01\x02" + bytes_of<std::uint16_t>(45) + fields + name_length +
                 bytes_of(static_cast<std::uint16_t>(extra.size())) + std::string(10, '\0') +
                 bytes_of<std::uint32_t>(wide ? 0xffffffff : static_cast<std::uint32_t>(file.size())) +
                 item.name + extra;
    file += "PK\x03\x04" + fields + name_length + bytes_of(static_cast<std::uint16_t>(local_extra.size())) +
            item.name + local_extra + stored;
  }
  const std::uint64_t offset = file.size();
  file += directory;
  if (wide) {
    const std::uint64_t end = file.size();
    file += "PK\x06\x06" + bytes_of<std::uint64_t>(44) + std::string(12, '\0') +
            bytes_of<std::uint64_t>(items.size()) + bytes_of<std::uint64_t>(items.size()) +
            bytes_of<std::uint64_t>(directory.size()) + bytes_of(offset);
    file += "PK\x06\x07" + bytes_of<std::uint32_t>(0) + bytes_of(end) + bytes_of<std::uint32_t>(1);
  }
  const auto count = static_cast<std::uint16_t>(items.size());
  return file + "PK\x05\x06" + bytes_of<std::uint32_t>(0) + bytes_of(count) + bytes_of(count) +
         bytes_of(static_cast<std::uint32_t>(directory.size())) +
         bytes_of<std::uint32_t>(wide ? 0xffffffff : static_cast<std::uint32_t>(offset)) +
         bytes_of<std::uint16_t>(0);
}

std::string open_error(const std::string& path) {
  try {
    open_tensor_file(path);
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_EQ(error.code(), ExitCode::corrupt_input) << text;
    EXPECT_NE(text.find(path), std::string::npos) << text;
    return text;
  }
  ADD_FAILURE() << path << " was accepted";
  return "";
}

std::string mutate(std::string bytes, std::uint32_t seed) {
  std::mt19937 random(seed);
  for (std::uint32_t change = 0; change <= random() % 3 && !bytes.empty(); ++change) {
    const std::size_t position = random() % bytes.size();
    const std::size_t count = std::min<std::size_t>(1 + random() % 8, bytes.size() - position);
    switch (random() % 6) {
      case 0:
        bytes[position] = static_cast<char>(random());
        break;
      case 1:
        bytes[position] = static_cast<char>(bytes[position] ^ (1 << random() % 8));
        break;
      case 2:
        bytes.replace(position, count, count, random() % 2 == 0 ? '\xff' : '\0');
        break;
      case 3:
        bytes.erase(position, count);
        break;
      case 4:
        bytes.insert(random() % bytes.size(), bytes.substr(position, count));
        break;
      default:
        bytes.resize(position);
    }
  }
  return bytes;
}

bool opens_or_is_refused(const std::string& path) {
  try {
    const auto file = open_tensor_file(path);
    for (const auto& [name, view] : file->tensors()) {
      EXPECT_EQ(view.to_double().size(), view.elements());
    }
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::corrupt_input) << error.what();
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
    return false;
  }
}

int count_refused(const std::filesystem::path& path, std::uint32_t files,
                  const std::function<std::string(std::uint32_t seed)>& make) {
  int refused = 0;
  for (std::uint32_t seed = 0; seed < files; ++seed) {
    SCOPED_TRACE(seed);
    write_bytes(path, make(seed));
    refused += opens_or_is_refused(path.string()) ? 0 : 1;
  }
  return refused;
}

}  // namespace mosaic::test

#include "stores/netcdf_chunks.hpp"

#include <hdf5.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/error.hpp"
#include "stores/netcdf_lock.hpp"

namespace mosaic {

static_assert(std::is_same_v<hid_t, std::int64_t>);
static_assert(std::endian::native == std::endian::little, "float32 chunks are stored as they lie in memory");

namespace {

std::vector<std::byte> shuffle(std::span<const std::byte> in) {
  constexpr std::size_t size = sizeof(float);
  const std::size_t count = in.size() / size;
  std::vector<std::byte> out(in.size());
  for (std::size_t byte = 0; byte < size; ++byte) {
    for (std::size_t i = 0; i < count; ++i) {
      out[byte * count + i] = in[i * size + byte];
    }
  }
  return out;
}

std::vector<std::byte> deflate_bytes(std::span<const std::byte> in, int level) {
  uLongf size = compressBound(in.size());
  std::vector<std::byte> out(size);
  const int status = compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                               reinterpret_cast<const Bytef*>(in.data()), in.size(), level);
  require(status == Z_OK, "zlib could not compress {} bytes at level {} (status {})", in.size(), level,
          status);
  out.resize(size);
  return out;
}

void append_checksum(std::vector<std::byte>& bytes) {
  const std::uint32_t sum = fletcher32(bytes);
  for (int shift = 0; shift < 32; shift += 8) {
    bytes.push_back(static_cast<std::byte>(sum >> shift & 0xffU));
  }
}

/// The innermost message of HDF5's error stack, which holds the system's reason if there is one.
std::string hdf5_reason() {
  std::string reason = "HDF5 gives no reason";
  const auto take_first = [](unsigned position, const H5E_error2_t* entry, void* text) -> herr_t {
    if (position == 0 && entry->desc != nullptr) {
      *static_cast<std::string*>(text) = entry->desc;
    }
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &reason);
  // "file write failed: time = ..., filename = '...', errno = 28, error message = 'No space left on device',
  // buf = ..."
  const std::string label = "error message = '";
  const std::size_t start = reason.find(label);
  if (start == std::string::npos) {
    return reason;
  }
  const std::size_t text = start + label.size();
  return reason.substr(text, reason.find('\'', text) - text);
}

std::vector<ChunkFilter> read_filters(hid_t dataset) {
  std::vector<ChunkFilter> filters;
  const hid_t properties = H5Dget_create_plist(dataset);
  const int count = H5Pget_nfilters(properties);
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0;
    unsigned parameters[8] = {};
    std::size_t parameter_count = std::size(parameters);
    const H5Z_filter_t id = H5Pget_filter2(properties, static_cast<unsigned>(i), &flags, &parameter_count,
                                           parameters, 0, nullptr, nullptr);
    require(id == H5Z_FILTER_SHUFFLE || id == H5Z_FILTER_DEFLATE || id == H5Z_FILTER_FLETCHER32,
            "HDF5 filter {} is not known to the chunk writer", id);
    if (id == H5Z_FILTER_SHUFFLE) {
      filters.push_back({ChunkFilter::Kind::shuffle, 0});
    } else if (id == H5Z_FILTER_DEFLATE) {
      filters.push_back({ChunkFilter::Kind::deflate, static_cast<int>(parameters[0])});
    } else {
      filters.push_back({ChunkFilter::Kind::fletcher32, 0});
    }
  }
  H5Pclose(properties);
  return filters;
}

}  // namespace

std::uint32_t fletcher32(std::span<const std::byte> bytes) {
  const auto fold = [](std::uint32_t sum) { return (sum & 0xffffU) + (sum >> 16); };
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const auto upper = std::to_integer<std::uint32_t>(bytes[i]) << 8;
    const auto lower = i + 1 < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i + 1]) : 0U;
    first = fold(first + upper + lower);
    second = fold(second + first);
  }
  return fold(second) << 16 | fold(first);
}

float round_mantissa(float value, int bits) {
  if (!std::isfinite(value)) {
    return value;
  }
  const int dropped = 23 - bits;
  const std::uint32_t raw = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t half_below = (1U << (dropped - 1)) - 1U + (raw >> dropped & 1U);
  return std::bit_cast<float>((raw + half_below) & ~((1U << dropped) - 1U));
}

std::vector<std::byte> encode_chunk(std::span<const float> values, const std::vector<ChunkFilter>& filters) {
  const auto raw = std::as_bytes(values);
  std::vector<std::byte> bytes(raw.begin(), raw.end());
  for (const auto& filter : filters) {
    switch (filter.kind) {
      case ChunkFilter::Kind::shuffle:
        bytes = shuffle(bytes);
        break;
      case ChunkFilter::Kind::deflate:
        bytes = deflate_bytes(bytes, filter.level);
        break;
      case ChunkFilter::Kind::fletcher32:
        append_checksum(bytes);
        break;
    }
  }
  return bytes;
}

ChunkedNetcdfFile::ChunkedNetcdfFile(const std::string& path, const std::vector<std::string>& variables)
    : path_(path) {
  const NetcdfLock lock;
  file_ = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  require(file_ >= 0, ExitCode::io_error, "{}: cannot reopen: {}", path, hdf5_reason());
  try {
    for (const auto& name : variables) {
      open_dataset(name);
    }
  } catch (...) {
    close_all(false);
    throw;
  }
}

ChunkedNetcdfFile::~ChunkedNetcdfFile() {
  const NetcdfLock lock;
  close_all(false);
}

void ChunkedNetcdfFile::open_dataset(const std::string& name) {
  const hid_t id = H5Dopen2(file_, name.c_str(), H5P_DEFAULT);
  require(id >= 0, ExitCode::io_error, "{}: cannot open variable {}: {}", path_, name, hdf5_reason());
  datasets_.push_back({name, id, {}});
  datasets_.back().filters = read_filters(id);
}

void ChunkedNetcdfFile::write(std::size_t variable, const std::vector<std::size_t>& offset,
                              std::span<const std::byte> chunk) {
  const std::vector<hsize_t> start(offset.begin(), offset.end());
  const NetcdfLock lock;
  const Dataset& dataset = datasets_.at(variable);
  const herr_t status = H5Dwrite_chunk(dataset.id, H5P_DEFAULT, 0, start.data(), chunk.size(), chunk.data());
  require(status >= 0, ExitCode::io_error, "{}: cannot write variable {}: {}", path_, dataset.name,
          hdf5_reason());
}

void ChunkedNetcdfFile::close() {
  const NetcdfLock lock;
  close_all(true);
}

void ChunkedNetcdfFile::close_all(bool report) {
  bool ok = true;
  for (auto& dataset : datasets_) {
    ok = H5Dclose(dataset.id) >= 0 && ok;
  }
  datasets_.clear();
  if (file_ >= 0) {
    ok = H5Fclose(file_) >= 0 && ok;
    file_ = -1;
  }
  require(ok || !report, ExitCode::io_error, "{}: cannot finish the file: {}", path_, hdf5_reason());
}

}  // namespace mosaic

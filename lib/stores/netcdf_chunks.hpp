#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mosaic {

/// One step of an HDF5 filter pipeline.
struct ChunkFilter {
  enum class Kind { shuffle, deflate, fletcher32 };
  Kind kind = Kind::shuffle;
  int level = 1;  ///< of deflate

  friend bool operator==(const ChunkFilter&, const ChunkFilter&) = default;
};

/// The bytes of one chunk as HDF5 stores them: little-endian float32 through the filters in their order.
/// shuffle: byte b of every value, for b = 0 ... 3; deflate: a zlib stream; fletcher32: the checksum of what
/// comes in, appended as four little-endian bytes. Pure computation: any thread, no lock.
std::vector<std::byte> encode_chunk(std::span<const float> values, const std::vector<ChunkFilter>& filters);

/// Fletcher's checksum as HDF5 defines it: 16-bit big-endian words (a last odd byte is the upper half of a
/// word), both sums start at 0 and are folded modulo 65535, the result is (second << 16) | first.
std::uint32_t fletcher32(std::span<const std::byte> bytes);

/// Rounds to `bits` explicit mantissa bits, ties to even; relative error <= 2^-(bits + 1). NaN and infinities
/// stay. bits: 1 ... 22.
float round_mantissa(float value, int bits);

/// An existing NetCDF-4 file whose float variables are filled chunk by chunk, already encoded (HDF5's direct
/// chunk write), so that compression can run on many threads. Functions take a NetcdfLock themselves and
/// may be called from any thread. Errors: io_error naming the file, the variable and HDF5's reason.
class ChunkedNetcdfFile {
 public:
  ChunkedNetcdfFile(const std::string& path, const std::vector<std::string>& variables);
  ~ChunkedNetcdfFile();
  ChunkedNetcdfFile(const ChunkedNetcdfFile&) = delete;
  ChunkedNetcdfFile& operator=(const ChunkedNetcdfFile&) = delete;

  /// The pipeline the file declares for a variable (index into `variables`).
  const std::vector<ChunkFilter>& filters(std::size_t variable) const { return datasets_[variable].filters; }

  /// Stores a chunk; `offset` is its first element in every dimension of the variable.
  void write(std::size_t variable, const std::vector<std::size_t>& offset, std::span<const std::byte> chunk);

  /// Closes the file so that errors are seen; the destructor would swallow them.
  void close();

 private:
  struct Dataset {
    std::string name;
    std::int64_t id = -1;
    std::vector<ChunkFilter> filters;
  };

  void open_dataset(const std::string& name);
  void close_all(bool report);

  std::string path_;
  std::int64_t file_ = -1;
  std::vector<Dataset> datasets_;
};

}  // namespace mosaic

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stores/checksums.hpp"
#include "stores/chunk_codec.hpp"

namespace mosaic {

/// What an item of an array is: NumPy's b, i, u, f, S (bytes), U (UCS-4) and O with the filter vlen-utf8.
enum class ZarrKind { boolean, signed_integer, unsigned_integer, floating, bytes, unicode, variable_text };

struct ZarrType {
  ZarrKind kind = ZarrKind::floating;
  std::size_t item_size = 4;  ///< [bytes]; 0 for variable_text
  bool big_endian = false;
};

/// The checked metadata of one Zarr v2 array. Dimensions are slowest first; products of `shape` and of
/// `chunks` with the item size are known not to overflow.
struct ZarrArray {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<std::size_t> chunks;
  ZarrType type;
  bool fortran_order = false;  ///< of the items inside a chunk
  std::string separator = ".";
  ChunkCodec codec = ChunkCodec::none;
  std::vector<std::byte> fill;          ///< one item, little endian; zeros where the metadata say null
  bool fill_is_nan = false;             ///< then an absent chunk means missing values
  std::vector<std::string> dimensions;  ///< _ARRAY_DIMENSIONS; empty if absent
  std::optional<double> scale_factor;   ///< physical = stored * scale_factor + add_offset
  std::optional<double> add_offset;     ///< in physical units
  std::vector<double> missing_values;   ///< stored values that mean NaN (_FillValue, missing_value)
  std::map<std::string, std::string> text_attributes;  ///< units, calendar, standard_name, ...

  std::size_t elements() const;
  std::size_t chunk_elements() const;
  /// The attribute or an empty text.
  std::string attribute(const std::string& key) const;
};

/// A box of an array: the first index and the number of indices of each dimension, slowest first.
struct ZarrBox {
  std::vector<std::size_t> start;
  std::vector<std::size_t> count;

  static ZarrBox all(const ZarrArray& array) {
    return {std::vector<std::size_t>(array.shape.size(), 0), array.shape};
  }
  std::size_t elements() const;
};

/// A Zarr v2 directory store, read only; metadata from .zmetadata or from the files of each array. Reads
/// decode chunks on up to `threads` threads and may run side by side. Values come in C order of the box. An
/// absent chunk is the fill value. Errors of all reads: missing_input for an unknown array, corrupt_input
/// (naming array, file, reason) for damaged chunks and for types that the target cannot hold, io_error.
class ZarrStore {
 public:
  /// Errors: missing_input if there is no Zarr v2 group, corrupt_input for metadata that cannot be parsed.
  /// Arrays that this reader cannot decode are listed, and refused when they are asked for.
  /// With checksums every file is compared with them as it is read: its own errors then, see
  /// ChecksumManifest::check().
  explicit ZarrStore(std::string path, std::optional<ChecksumManifest> checksums = std::nullopt);

  const std::string& path() const { return path_; }
  std::vector<std::string> names() const;
  bool has(const std::string& name) const { return arrays_.contains(name) || refused_.contains(name); }
  /// Errors: missing_input; corrupt_input with the reason if the array is of a kind that is not decoded.
  const ZarrArray& array(const std::string& name) const;
  /// All metadata in one canonical text, independent of how they are spread over files.
  const std::string& metadata_text() const { return metadata_text_; }

  /// The stored items, little endian, without scale and offset. Not for variable_text.
  std::vector<std::byte> read_bytes(const std::string& name, const ZarrBox& box, int threads) const;
  /// Physical values: scale_factor and add_offset applied, missing values NaN.
  std::vector<float> read_float(const std::string& name, const ZarrBox& box, int threads) const;
  std::vector<double> read_double(const std::string& name, const ZarrBox& box, int threads) const;
  /// Whole arrays. Integers and booleans only, not packed.
  std::vector<std::int64_t> read_int64(const std::string& name) const;
  /// Whole arrays. Text only, UTF-8.
  std::vector<std::string> read_strings(const std::string& name) const;

  /// Files of the chunks that the box touches and that do not exist, relative to the store; the first `most`.
  std::vector<std::string> absent_chunks(const std::string& name, const ZarrBox& box,
                                         std::size_t most = SIZE_MAX) const;

 private:
  template <class Value>
  std::vector<Value> read_values(const std::string& name, const ZarrBox& box, int threads) const;

  const ChecksumManifest* checksums() const { return checksums_ ? &*checksums_ : nullptr; }

  std::string path_;
  std::optional<ChecksumManifest> checksums_;
  std::map<std::string, ZarrArray> arrays_;
  std::map<std::string, std::string> refused_;  ///< array -> why
  std::string metadata_text_;
};

}  // namespace mosaic

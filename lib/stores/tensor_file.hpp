#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mosaic {

enum class TensorType { float16, bfloat16, float32, float64, int8, uint8, int16, int32, int64, boolean };

std::size_t item_size(TensorType type);
std::string to_string(TensorType type);

/// A read-only array. The bytes belong to the TensorFile (memory-mapped or owned) and live as long as it
/// does.
struct TensorView {
  TensorType type = TensorType::float32;
  std::vector<std::int64_t> shape;   ///< slowest first, contiguous C order
  std::span<const std::byte> bytes;  ///< little endian

  std::size_t elements() const;
  /// Copies with conversion. Errors: corrupt_input when the type cannot be represented (float from bool etc.
  /// is allowed).
  std::vector<float> to_float() const;
  std::vector<double> to_double() const;
  std::vector<std::int64_t> to_int64() const;  ///< integer types only
};

/// Named tensors in a file: safetensors (memory-mapped), a torch.save zip (`.pt`, nothing is executed) or
/// NumPy `.npz`/`.npy`. Every header is bounded and checked before it is believed; a violation is
/// corrupt_input naming file, entry and reason.
class TensorFile {
 public:
  virtual ~TensorFile() = default;
  virtual const std::string& path() const = 0;
  virtual const std::map<std::string, TensorView>& tensors() const = 0;
  virtual const std::map<std::string, std::string>& metadata()
      const = 0;  ///< safetensors __metadata__, else empty

  bool has(const std::string& name) const { return tensors().contains(name); }
  /// Errors: corrupt_input naming file and entry if absent.
  const TensorView& at(const std::string& name) const;
};

/// Opens by content, not by extension. For `.pt`: the tensors of `model_state_dict` or, if absent, of the
/// dict itself. Errors: missing_input, corrupt_input.
std::unique_ptr<TensorFile> open_tensor_file(const std::string& path);

/// One tensor to be written.
struct TensorSource {
  TensorType type = TensorType::float32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

/// Writes safetensors (temporary file, fsync, rename). Errors: cannot_create, io_error.
void write_safetensors(const std::string& path, const std::map<std::string, TensorSource>& tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace mosaic

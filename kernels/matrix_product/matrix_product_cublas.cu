// matrix_product_device.hpp by cuBLASLt. The library is opened when the first product is asked for, so that
// programs built with CUDA start where it is not installed.

#include <cublasLt.h>
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <tuple>
#include <vector>

#include "kernels/device/device_code.hpp"
#include "kernels/matrix_product/matrix_product_device.hpp"

namespace mosaic::kernels {

namespace {

constexpr std::size_t workspace_bytes = std::size_t(32) << 20;
/// An algorithm chosen for the reference size may count the numbers of an array in 32 bits: larger products
/// go in pieces of whole rows.
constexpr std::int64_t most_numbers = std::int64_t(1) << 30;
/// Algorithms are chosen for these sizes whatever the chunk, so that rows do not depend on it: the network's
/// tokens; in double, latitudes of an ensemble's fields, and the orders of their harmonics.
constexpr std::int64_t reference_rows = 49152;
constexpr std::int64_t reference_double_rows = 6144;
constexpr std::int64_t reference_batches = 120, reference_batch_rows = 128;
/// Algorithms that are looked at for one that takes any number of rows.
constexpr int most_candidates = 8;

void* open_library() {
  const std::string name = "libcublasLt.so." + std::to_string(CUBLAS_VER_MAJOR);
  std::vector<std::string> places = {name};
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"}) {
    if (const char* folder = std::getenv(variable)) {
      places.push_back(std::string(folder) + "/lib64/" + name);
    }
  }
  places.push_back("/usr/local/cuda/lib64/" + name);
  for (const std::string& place : places) {
    if (void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      return library;
    }
  }
  fail_on_device(
      DeviceFailure::configuration,
      "GPU: " + name +
          " is not found: put the folder of the CUDA toolkit's libraries on LD_LIBRARY_PATH or set "
          "CUDA_HOME, or run with model.device: cpu");
}

template <class Function>
Function* symbol(void* library, const char* name) {
  void* found = dlsym(library, name);
  if (found == nullptr) {
    fail_on_device(DeviceFailure::configuration, std::string("GPU: the cuBLASLt library has no ") + name);
  }
  return reinterpret_cast<Function*>(found);
}

/// The functions in use, under their own names.
struct Library {
  void* library = open_library();
#define MOSAIC_SYMBOL(name) decltype(::name)* name = symbol<decltype(::name)>(library, #name)
  MOSAIC_SYMBOL(cublasLtCreate);
  MOSAIC_SYMBOL(cublasLtDestroy);
  MOSAIC_SYMBOL(cublasLtMatmul);
  MOSAIC_SYMBOL(cublasLtMatmulAlgoCheck);
  MOSAIC_SYMBOL(cublasLtMatmulAlgoGetHeuristic);
  MOSAIC_SYMBOL(cublasLtMatmulDescCreate);
  MOSAIC_SYMBOL(cublasLtMatmulDescDestroy);
  MOSAIC_SYMBOL(cublasLtMatmulDescSetAttribute);
  MOSAIC_SYMBOL(cublasLtMatmulPreferenceCreate);
  MOSAIC_SYMBOL(cublasLtMatmulPreferenceDestroy);
  MOSAIC_SYMBOL(cublasLtMatmulPreferenceSetAttribute);
  MOSAIC_SYMBOL(cublasLtMatrixLayoutCreate);
  MOSAIC_SYMBOL(cublasLtMatrixLayoutDestroy);
  MOSAIC_SYMBOL(cublasLtMatrixLayoutSetAttribute);
#undef MOSAIC_SYMBOL
};

const Library& library() {
  static const Library loaded;
  return loaded;
}

void check(cublasStatus_t status, const char* call) {
  if (status != CUBLAS_STATUS_SUCCESS) {
    fail_on_device(DeviceFailure::internal, std::string("GPU: ") + call + ": cuBLASLt status " +
                                                std::to_string(static_cast<int>(status)));
  }
}

cudaDataType_t data_type(ElementType type) {
  return type == ElementType::float32 ? CUDA_R_32F : type == ElementType::float16 ? CUDA_R_16F : CUDA_R_16BF;
}

/// Sizes and types of a product.
struct Shape {
  std::int64_t batches, rows, inputs, outputs;
  std::int64_t x_stride, weight_stride, out_stride;  // numbers between batches
  cudaDataType_t type, out_type;

  bool in_double() const { return type == CUDA_R_64F; }
};

Shape shape_of(const MatrixProductArgs& args) {
  return {1, args.rows, args.inputs, args.outputs, 0, 0, 0, data_type(args.type), data_type(args.out_type)};
}

Shape shape_of(const DoubleProductArgs& args) {
  return {args.batches,       args.rows,       args.inputs, args.outputs, args.x_stride,
          args.weight_stride, args.out_stride, CUDA_R_64F,  CUDA_R_64F};
}

std::int64_t rows_of_piece(std::int64_t inputs, std::int64_t outputs) {
  return most_numbers / std::max(inputs, outputs) / 128 * 128;
}

Shape with_rows(Shape shape, std::int64_t rows) {
  shape.rows = rows;
  shape.x_stride = rows * shape.inputs;
  shape.weight_stride = shape.outputs * shape.inputs;
  shape.out_stride = rows * shape.outputs;
  return shape;
}

/// The shape that stands for all with these inputs, outputs and types.
Shape reference_shape(Shape shape) {
  const bool one = shape.batches == 1;
  shape.batches = one ? 1 : reference_batches;
  return with_rows(shape, !one                ? reference_batch_rows
                          : shape.in_double() ? reference_double_rows
                                              : reference_rows);
}

struct Operands {
  const void* x;
  const void* weight;
  void* out;
};

/// What the heuristic finds, the best first.
struct Candidates {
  std::array<cublasLtMatmulHeuristicResult_t, most_candidates> results{};
  int count = 0;
};

/// The product as cuBLASLt sees it: column-major out^T = weight x^T.
class Problem {
 public:
  explicit Problem(const Shape& shape) {
    const Library& lib = library();
    check(
        lib.cublasLtMatmulDescCreate(&operation_, shape.in_double() ? CUBLAS_COMPUTE_64F : CUBLAS_COMPUTE_32F,
                                     shape.in_double() ? CUDA_R_64F : CUDA_R_32F),
        "cublasLtMatmulDescCreate");
    const cublasOperation_t transposed = CUBLAS_OP_T;
    check(lib.cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_TRANSA, &transposed,
                                             sizeof(transposed)),
          "cublasLtMatmulDescSetAttribute");
    layout(weight_, shape.type, shape.inputs, shape.outputs, shape.batches, shape.weight_stride);
    layout(x_, shape.type, shape.inputs, shape.rows, shape.batches, shape.x_stride);
    layout(out_, shape.out_type, shape.outputs, shape.rows, shape.batches, shape.out_stride);
  }
  ~Problem() {
    const Library& lib = library();
    for (const auto matrix : {weight_, x_, out_}) {
      lib.cublasLtMatrixLayoutDestroy(matrix);
    }
    lib.cublasLtMatmulDescDestroy(operation_);
  }
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  /// Algorithms for it, those that are expected to be faster first.
  Candidates candidates(cublasLtHandle_t handle) const {
    const Library& lib = library();
    cublasLtMatmulPreference_t preference = nullptr;
    check(lib.cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
    const std::uint32_t no_split = CUBLASLT_REDUCTION_SCHEME_NONE;
    lib.cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                             &workspace_bytes, sizeof(workspace_bytes));
    lib.cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                                             &no_split, sizeof(no_split));
    // What matrix_product_device.hpp promises of arrays; the default is 256.
    const std::uint32_t alignment = 16;
    for (const auto attribute :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
      check(lib.cublasLtMatmulPreferenceSetAttribute(preference, attribute, &alignment, sizeof(alignment)),
            "cublasLtMatmulPreferenceSetAttribute");
    }
    Candidates found;
    const cublasStatus_t status =
        lib.cublasLtMatmulAlgoGetHeuristic(handle, operation_, weight_, x_, out_, out_, preference,
                                           most_candidates, found.results.data(), &found.count);
    lib.cublasLtMatmulPreferenceDestroy(preference);
    check(status, "cublasLtMatmulAlgoGetHeuristic");
    check(found.count == 0 ? CUBLAS_STATUS_NOT_SUPPORTED : found.results[0].state,
          "cublasLtMatmulAlgoGetHeuristic: no algorithm");
    return found;
  }

  bool is_taken_by(cublasLtHandle_t handle, const cublasLtMatmulAlgo_t& algorithm) const {
    cublasLtMatmulHeuristicResult_t result{};
    return library().cublasLtMatmulAlgoCheck(handle, operation_, weight_, x_, out_, out_, &algorithm,
                                             &result) == CUBLAS_STATUS_SUCCESS &&
           result.workspaceSize <= workspace_bytes;
  }

  /// Scale: float, or double for products in double.
  template <class Scale>
  void run(cublasLtHandle_t handle, const cublasLtMatmulAlgo_t& algorithm, const Operands& operands,
           Scale beta, void* workspace, const Stream& stream) const {
    const Scale one = 1;
    check(library().cublasLtMatmul(handle, operation_, &one, operands.weight, weight_, operands.x, x_, &beta,
                                   operands.out, out_, operands.out, out_, &algorithm, workspace,
                                   workspace_bytes, static_cast<cudaStream_t>(stream.handle())),
          "cublasLtMatmul");
  }

 private:
  static void layout(cublasLtMatrixLayout_t& matrix, cudaDataType_t type, std::int64_t rows,
                     std::int64_t columns, std::int64_t batches, std::int64_t stride) {
    check(library().cublasLtMatrixLayoutCreate(&matrix, type, static_cast<std::uint64_t>(rows),
                                               static_cast<std::uint64_t>(columns), rows),
          "cublasLtMatrixLayoutCreate");
    if (batches > 1) {
      const auto count = static_cast<std::int32_t>(batches);
      set(matrix, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, count);
      set(matrix, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, stride);
    }
  }

  template <class Value>
  static void set(cublasLtMatrixLayout_t matrix, cublasLtMatrixLayoutAttribute_t attribute, Value value) {
    check(library().cublasLtMatrixLayoutSetAttribute(matrix, attribute, &value, sizeof(value)),
          "cublasLtMatrixLayoutSetAttribute");
  }

  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t weight_ = nullptr, x_ = nullptr, out_ = nullptr;
};

}  // namespace

struct MatrixProducts::State {
  /// Inputs, outputs, types, whether there is one batch.
  using Key = std::tuple<std::int64_t, std::int64_t, cudaDataType_t, cudaDataType_t, bool>;

  State() : workspace(workspace_bytes) { check(library().cublasLtCreate(&handle), "cublasLtCreate"); }
  ~State() { library().cublasLtDestroy(handle); }

  const cublasLtMatmulAlgo_t& algorithm(const Shape& shape) {
    const Key key{shape.inputs, shape.outputs, shape.type, shape.out_type, shape.batches == 1};
    const auto found = algorithms.find(key);
    return found != algorithms.end() ? found->second : algorithms.emplace(key, choose(shape)).first->second;
  }

  /// The first that takes one row, the reference's and as many as there may be; without one the first of all,
  /// which refuses what it does not take when it is called.
  cublasLtMatmulAlgo_t choose(const Shape& shape) const {
    const Shape reference = reference_shape(shape);
    const Problem fewest(with_rows(reference, 1)), usual(reference),
        most(with_rows(reference,
                       shape.in_double() ? reference.rows : rows_of_piece(shape.inputs, shape.outputs)));
    const Candidates found = usual.candidates(handle);
    for (int i = 0; i < found.count; ++i) {
      const cublasLtMatmulAlgo_t& algorithm = found.results[static_cast<std::size_t>(i)].algo;
      if (fewest.is_taken_by(handle, algorithm) && usual.is_taken_by(handle, algorithm) &&
          most.is_taken_by(handle, algorithm)) {
        return algorithm;
      }
    }
    return found.results[0].algo;
  }

  template <class Scale>
  void run(const Shape& shape, const Operands& operands, Scale beta, const Stream& stream) {
    Problem(shape).run(handle, algorithm(shape), operands, beta, workspace.data(), stream);
  }

  cublasLtHandle_t handle = nullptr;
  DeviceMemory workspace;
  std::map<Key, cublasLtMatmulAlgo_t> algorithms;
};

MatrixProducts::MatrixProducts() : state_(std::make_unique<State>()) {}
MatrixProducts::~MatrixProducts() = default;

void MatrixProducts::run(const MatrixProductArgs& args, const Stream& stream) {
  check_product(args);
  const std::int64_t most = rows_of_piece(args.inputs, args.outputs);
  for (std::int64_t first = 0; first < args.rows; first += most) {
    MatrixProductArgs piece = args;
    piece.rows = std::min(most, args.rows - first);
    const auto* x =
        static_cast<const std::byte*>(args.x) + std::size_t(first * args.inputs) * size_of(args.type);
    auto* out =
        static_cast<std::byte*>(args.out) + std::size_t(first * args.outputs) * size_of(args.out_type);
    state_->run(shape_of(piece), {x, args.weight, out}, args.accumulate ? 1.0f : 0.0f, stream);
  }
}

void MatrixProducts::run(const DoubleProductArgs& args, const Stream& stream) {
  check_product(args);
  state_->run(shape_of(args), {args.x, args.weight, args.out}, 0.0, stream);
}

}  // namespace mosaic::kernels

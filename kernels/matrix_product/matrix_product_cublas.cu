// matrix_product_device.hpp by cuBLASLt. The library is opened when the first product is asked for, so that
// programs built with CUDA start where it is not installed.

#include <cublasLt.h>
#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <map>
#include <tuple>
#include <vector>

#include "kernels/device/device_code.hpp"
#include "kernels/matrix_product/matrix_product_device.hpp"

namespace mosaic::kernels {

namespace {

constexpr std::size_t workspace_bytes = std::size_t(32) << 20;
/// Algorithms are chosen for this many rows whatever the chunk, so that rows do not depend on it.
constexpr std::int64_t reference_rows = 49152;

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
          "CUDA_HOME, or run with device: cpu");
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
  MOSAIC_SYMBOL(cublasLtMatmulAlgoGetHeuristic);
  MOSAIC_SYMBOL(cublasLtMatmulDescCreate);
  MOSAIC_SYMBOL(cublasLtMatmulDescDestroy);
  MOSAIC_SYMBOL(cublasLtMatmulDescSetAttribute);
  MOSAIC_SYMBOL(cublasLtMatmulPreferenceCreate);
  MOSAIC_SYMBOL(cublasLtMatmulPreferenceDestroy);
  MOSAIC_SYMBOL(cublasLtMatmulPreferenceSetAttribute);
  MOSAIC_SYMBOL(cublasLtMatrixLayoutCreate);
  MOSAIC_SYMBOL(cublasLtMatrixLayoutDestroy);
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

/// The product as cuBLASLt sees it: column-major out^T = weight x^T.
class Problem {
 public:
  Problem(const MatrixProductArgs& args, std::int64_t rows) {
    const Library& lib = library();
    check(lib.cublasLtMatmulDescCreate(&operation_, CUBLAS_COMPUTE_32F, CUDA_R_32F),
          "cublasLtMatmulDescCreate");
    const cublasOperation_t transposed = CUBLAS_OP_T;
    check(lib.cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_TRANSA, &transposed,
                                             sizeof(transposed)),
          "cublasLtMatmulDescSetAttribute");
    layout(weight_, args.type, args.inputs, args.outputs);
    layout(x_, args.type, args.inputs, rows);
    layout(out_, args.out_type, args.outputs, rows);
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

  cublasLtMatmulAlgo_t choose(cublasLtHandle_t handle) const {
    const Library& lib = library();
    cublasLtMatmulPreference_t preference = nullptr;
    check(lib.cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
    const std::uint32_t no_split = CUBLASLT_REDUCTION_SCHEME_NONE;
    lib.cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                             &workspace_bytes, sizeof(workspace_bytes));
    lib.cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                                             &no_split, sizeof(no_split));
    cublasLtMatmulHeuristicResult_t result{};
    int found = 0;
    const cublasStatus_t status = lib.cublasLtMatmulAlgoGetHeuristic(handle, operation_, weight_, x_, out_,
                                                                     out_, preference, 1, &result, &found);
    lib.cublasLtMatmulPreferenceDestroy(preference);
    check(found > 0 ? status : CUBLAS_STATUS_NOT_SUPPORTED, "cublasLtMatmulAlgoGetHeuristic");
    return result.algo;
  }

  void run(cublasLtHandle_t handle, const cublasLtMatmulAlgo_t& algorithm, const MatrixProductArgs& args,
           void* workspace, const Stream& stream) const {
    const float one = 1, beta = args.accumulate ? 1 : 0;
    check(library().cublasLtMatmul(handle, operation_, &one, args.weight, weight_, args.x, x_, &beta,
                                   args.out, out_, args.out, out_, &algorithm, workspace, workspace_bytes,
                                   static_cast<cudaStream_t>(stream.handle())),
          "cublasLtMatmul");
  }

 private:
  static void layout(cublasLtMatrixLayout_t& matrix, ElementType type, std::int64_t rows,
                     std::int64_t columns) {
    check(library().cublasLtMatrixLayoutCreate(&matrix, data_type(type), static_cast<std::uint64_t>(rows),
                                               static_cast<std::uint64_t>(columns), rows),
          "cublasLtMatrixLayoutCreate");
  }

  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t weight_ = nullptr, x_ = nullptr, out_ = nullptr;
};

}  // namespace

struct MatrixProducts::State {
  using Key = std::tuple<std::int64_t, std::int64_t, ElementType, ElementType>;

  State() : workspace(workspace_bytes) { check(library().cublasLtCreate(&handle), "cublasLtCreate"); }
  ~State() { library().cublasLtDestroy(handle); }

  const cublasLtMatmulAlgo_t& algorithm(const MatrixProductArgs& args) {
    const Key key{args.inputs, args.outputs, args.type, args.out_type};
    const auto found = algorithms.find(key);
    return found != algorithms.end()
               ? found->second
               : algorithms.emplace(key, Problem(args, reference_rows).choose(handle)).first->second;
  }

  cublasLtHandle_t handle = nullptr;
  DeviceMemory workspace;
  std::map<Key, cublasLtMatmulAlgo_t> algorithms;
};

MatrixProducts::MatrixProducts() : state_(std::make_unique<State>()) {}
MatrixProducts::~MatrixProducts() = default;

void MatrixProducts::run(const MatrixProductArgs& args, const Stream& stream) {
  require_shape(args.rows > 0 && args.inputs % 8 == 0 && args.outputs % 8 == 0,
                "a matrix product of " + std::to_string(args.rows) + " x " + std::to_string(args.inputs) +
                    " x " + std::to_string(args.outputs));
  Problem(args, args.rows)
      .run(state_->handle, state_->algorithm(args), args, state_->workspace.data(), stream);
}

}  // namespace mosaic::kernels

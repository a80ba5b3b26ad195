#include "kernels/backend.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.hpp"
#include "kernels/block_sparse_attention/block_sparse_attention.hpp"
#include "kernels/grid_interpolation/grid_interpolation.hpp"

namespace mosaic::kernels {
namespace {

#ifdef MOSAIC_HAVE_TORCH
constexpr bool have_torch = true;
#else
constexpr bool have_torch = false;
#endif

/// Expects exit code 78 and a message that names operation, backend and what there is.
void expect_absent(const std::string& operation, const std::string& backend, const std::string& there,
                   const std::function<void()>& call) {
  try {
    call();
    ADD_FAILURE() << operation << " ran on " << backend;
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.code()), 78);
    EXPECT_EQ(std::string(error.what()),
              operation + ": backend " + backend + " is not in this build; there are: " + there);
  }
}

TEST(Backend, NamesAreThoseOfTheMessages) {
  EXPECT_EQ(to_string(Backend::reference), "reference");
  EXPECT_EQ(to_string(Backend::cpu), "cpu");
  EXPECT_EQ(to_string(Backend::cuda), "cuda");
}

TEST(Backend, OneThatIsThereIsAccepted) {
  EXPECT_NO_THROW(require_backend("op", Backend::cpu, {Backend::reference, Backend::cpu}));
  expect_absent("op", "cpu", "reference, cuda", [] {
    require_backend("op", Backend::cpu, {Backend::reference, Backend::cuda});
  });
}

/// One token, one head: enough to reach the dispatch.
template <class T>
struct OnePoint {
  T one = 1, out = -1;
  std::int64_t index = 0;

  void attend(Backend backend) {
    const BlockSparsePattern pattern{1, 0, 0, AttentionBranches::local_only};
    block_sparse_attention(
        BlockSparseAttentionArgs<T>{1, 1, 1, 1, pattern, &one, &one, &one, nullptr, &out, nullptr}, backend);
  }
  void interpolate(Backend backend) {
    const T rel[3] = {0, 0, 1}, t[3] = {1, 1, 1};
    grid_interpolation(GridInterpolationArgs<T>{1, 1, 1, 1, t, &one, rel, &index, &out, 1}, backend);
  }
};

TEST(Backend, CudaAskedForAndNotBuiltIsAnError) {
  const std::string attention = have_torch ? "reference, cpu" : "reference";
  OnePoint<float> single;
  OnePoint<double> twice;
  expect_absent("block_sparse_attention", "cuda", attention, [&] { single.attend(Backend::cuda); });
  expect_absent("block_sparse_attention", "cuda", attention, [&] { twice.attend(Backend::cuda); });
  expect_absent("grid_interpolation", "cuda", "reference, cpu", [&] { single.interpolate(Backend::cuda); });
  expect_absent("grid_interpolation", "cuda", "reference, cpu", [&] { twice.interpolate(Backend::cuda); });
  EXPECT_EQ(single.out, -1) << "nothing runs in its place";
}

TEST(Backend, CpuAttentionIsThereWithTorchOnly) {
  OnePoint<float> point;
  if (have_torch) {
    point.attend(Backend::cpu);
    EXPECT_EQ(point.out, 1);
  } else {
    expect_absent("block_sparse_attention", "cpu", "reference", [&] { point.attend(Backend::cpu); });
  }
}

}  // namespace
}  // namespace mosaic::kernels

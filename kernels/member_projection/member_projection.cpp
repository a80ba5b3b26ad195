#include "kernels/member_projection/member_projection.hpp"

namespace mosaic::kernels {

namespace {

template <class T>
void project(const MemberProjectionArgs<T>& a) {
  for (std::int64_t m = 0; m < a.members; ++m) {
    for (std::int64_t o = 0; o < a.outputs; ++o) {
      double sum = 0;
      for (std::int64_t i = 0; i < a.inputs; ++i) {
        sum += static_cast<double>(a.weight[o * a.inputs + i]) * static_cast<double>(a.x[m * a.inputs + i]);
      }
      a.y[m * a.outputs + o] = static_cast<T>(sum);
    }
  }
}

}  // namespace

void member_projection(const MemberProjectionArgs<float>& args) { project(args); }
void member_projection(const MemberProjectionArgs<double>& args) { project(args); }

}  // namespace mosaic::kernels

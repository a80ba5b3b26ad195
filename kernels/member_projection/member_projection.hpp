#pragma once

#include <cstdint>

namespace mosaic::kernels {

/// y[m] = W x[m] for every member m, each sum in the order of the inputs and in double: own code, because a
/// library product may choose another order for another number of members.
/// Letters: M members, I inputs, O outputs.
template <class T>
struct MemberProjectionArgs {
  std::int64_t members = 0, inputs = 0, outputs = 0;
  const T* weight = nullptr;  ///< [O, I]
  const T* x = nullptr;       ///< [M, I]
  T* y = nullptr;             ///< [M, O]
};

void member_projection(const MemberProjectionArgs<float>& args);
void member_projection(const MemberProjectionArgs<double>& args);

}  // namespace mosaic::kernels

#pragma once

namespace mosaic::kernels {

enum class MissingValues {
  propagate,  ///< a NaN in an area makes its statistics NaN
  skip,  ///< members, and points without truth or without any member, are left out; the number of members
         ///< is that of those that are there; means are over the points that are left (spread and variance
         ///< of an ensemble need no truth)
};

}  // namespace mosaic::kernels

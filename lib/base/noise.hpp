#pragma once

#include <cstdint>
#include <span>

#include "base/time.hpp"

namespace mosaic {

/// Standard normal draws that depend on nothing but their own coordinates, so that every member gets the same
/// noise whatever the number of ranks, the order of work or the number of other members.
///
/// Bits: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), with
///   key     = (seed mod 2^32, seed div 2^32)
///   counter = (initial_time in seconds since 1970 mod 2^32, member, step, block)
/// Block b yields four words x0 ... x3 and the draws 4 b ... 4 b + 3; a shorter span is a prefix of a longer
/// one. Normal transform (Box and Muller) in double, with u_i = (x_i + 0.5) 2^-32 and for the pairs (0, 1),
/// (2, 3):
///   z_i = sqrt(-2 ln u_i) cos(2 pi u_(i+1)),  z_(i+1) = sqrt(-2 ln u_i) sin(2 pi u_(i+1)),
/// each rounded to float. Hence |z| < 6.8.
///
/// member and step count from 0. Errors: internal, if one of them is negative.
void fill_normal_noise(std::uint64_t seed, Time initial_time, int member, int step, std::span<float> draws);

}  // namespace mosaic

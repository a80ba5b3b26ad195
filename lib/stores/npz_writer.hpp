#pragma once

#include <string>
#include <vector>

namespace mosaic {

/// One entry of an .npz file: float64 numbers, or texts (as bytes of the longest) where there are any.
struct NpzVector {
  std::string name;
  std::vector<double> numbers;
  std::vector<std::string> texts;
};

/// Writes vectors as NumPy's savez does: a zip file of stored .npy entries, without dates, so that equal
/// values give equal bytes. The file appears whole or not at all. Errors: cannot_create, io_error; internal
/// beyond 4 GiB.
void write_npz(const std::string& path, const std::vector<NpzVector>& vectors);

}  // namespace mosaic

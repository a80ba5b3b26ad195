#include "fuzz/one_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return mosaic::test::read_input("input.npz", data, size,
                                  [](const std::string& path) { mosaic::test::read_tensors(path); });
}

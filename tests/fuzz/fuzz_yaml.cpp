#include "fuzz/one_input.hpp"

/// As a configuration and as a network file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mosaic::test;
  read_input("input.yaml", data, size, [](const std::string& path) { read_configuration(path); });
  return read_input("input.yaml", data, size, [](const std::string& path) { read_network(path); });
}

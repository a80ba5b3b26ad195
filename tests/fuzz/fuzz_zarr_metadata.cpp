#include <array>
#include <filesystem>
#include <fstream>

#include "fuzz/one_input.hpp"

namespace {

/// The chunks that the metadata speak of: 64 bytes 0 ... 63 each, uncompressed.
void write_chunks(const std::string& store) {
  std::array<char, 64> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i);
  }
  for (const char* name :
       {"time", "latitude", "longitude", "level", "2m_temperature", "geopotential", "text"}) {
    const std::filesystem::path array = std::filesystem::path(store) / name;
    std::filesystem::create_directories(array);
    for (const char* chunk : {"0", "1", "0.0", "0.0.0", "1.0.0", "0.0.0.0", "1.0.0.0"}) {
      std::ofstream(array / chunk, std::ios::binary).write(bytes.data(), bytes.size());
    }
  }
}

}  // namespace

/// The input is the .zmetadata of a store.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string store = mosaic::test::input_folder() + "/input.zarr";
  static const bool written = (write_chunks(store), true);
  static_cast<void>(written);
  return mosaic::test::read_input("input.zarr/.zmetadata", data, size,
                                  [](const std::string&) { mosaic::test::read_zarr(store, {}); });
}

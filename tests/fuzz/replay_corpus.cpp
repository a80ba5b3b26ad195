#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/files.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace mosaic::test {
namespace {

/// Inputs that once led somewhere new or wrong. What is not allowed ends the process; see one_input.hpp.
TEST(Corpus, EveryInputIsReadOrRefused) {
  const char* source = std::getenv("MOSAIC_SOURCE");
  const auto folder =
      std::filesystem::path(source != nullptr ? source : ".") / "tests/fuzz/corpus" / MOSAIC_FORMAT;
  std::size_t inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path());
    const std::string bytes = read_text(entry.path().string());
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++inputs;
  }
  EXPECT_GT(inputs, 0U) << folder << " is empty";
}

}  // namespace
}  // namespace mosaic::test

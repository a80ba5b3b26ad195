#include "fuzz/contained.hpp"
#include "fuzz/one_input.hpp"

extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());

/// Without the library's own crashes, which are what trial readings are for. Coverage stays in the child:
/// this target mutates, but does not learn.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return mosaic::test::read_input("input.nc", data, size, [](const std::string& path) {
    mosaic::test::Trials trials;
    mosaic::test::read_in_child(
        [&] {
          if (__sanitizer_set_death_callback != nullptr) {
            __sanitizer_set_death_callback(nullptr);  // which would keep the file as a finding
          }
          return mosaic::test::read_netcdf_file(path, {});
        },
        trials);
  });
}

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "fuzz/read_everything.hpp"

namespace mosaic::test {

/// One input of libFuzzer as a file: writes it to the same place in memory (/dev/shm) each time and calls
/// `read` with its path. Returns whatever comes; ends the process with SIGABRT if that is an exception other
/// than an Error of corrupt, missing or bad input that names the file.
int read_input(const std::string& name, const std::uint8_t* data, std::size_t size,
               const std::function<void(const std::string& path)>& read);

/// The folder of this process for such files; removed when it ends.
std::string input_folder();

}  // namespace mosaic::test

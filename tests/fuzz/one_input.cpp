#include "fuzz/one_input.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>

#include "base/error.hpp"

namespace mosaic::test {

namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::path(fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path()) /
                  ("mosaic_fuzz_" + std::to_string(getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() {
    std::error_code unimportant;
    fs::remove_all(path, unimportant);
  }
};

[[noreturn]] void wrong(const std::string& what) {
  std::fprintf(stderr, "not allowed: %s\n", what.c_str());
  std::abort();
}

}  // namespace

std::string input_folder() {
  static const Folder folder;
  return folder.path.string();
}

int read_input(const std::string& name, const std::uint8_t* data, std::size_t size,
               const std::function<void(const std::string& path)>& read) {
  const std::string path = input_folder() + "/" + name;
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    read(path);
  } catch (const Error& error) {
    const bool right_class = error.code() == ExitCode::corrupt_input ||
                             error.code() == ExitCode::missing_input ||
                             error.code() == ExitCode::bad_configuration;
    if (!right_class || std::string(error.what()).find(input_folder()) == std::string::npos) {
      wrong(fmt::format("Error of code {}: {}", static_cast<int>(error.code()), error.what()));
    }
  } catch (const std::exception& error) {
    wrong(fmt::format("an exception that is no Error: {}", error.what()));
  }
  return 0;
}

}  // namespace mosaic::test

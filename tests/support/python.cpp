#include "support/python.hpp"

#include <cstdlib>

namespace mosaic::test {

namespace {

std::string variable_or(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

}  // namespace

std::string python() {
  const std::string deps = variable_or("MOSAIC_DEPS", variable_or("HOME", "") + "/.cache/mosaic/deps");
  return variable_or("MOSAIC_PYTHON", deps + "/python/bin/python");
}

Job run_python(const std::string& script, const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {python(), "-c", script};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_job(command);
}

}  // namespace mosaic::test

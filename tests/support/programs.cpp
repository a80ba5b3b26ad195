#include "support/programs.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <variant>
#include <vector>

namespace mosaic::test {

namespace fs = std::filesystem;

Outcome shell(const std::string& command) {
  Outcome outcome;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> piece{};
  while (const std::size_t n = fread(piece.data(), 1, piece.size(), pipe)) {
    outcome.text.append(piece.data(), n);
  }
  const int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

std::string program(const std::string& name) { return std::string(std::getenv("MOSAIC_BIN")) + "/" + name; }

std::string first_difference(const NetcdfDocument& a, const NetcdfDocument& b) {
  if (a.variables.size() != b.variables.size()) {
    return "number of variables";
  }
  for (std::size_t i = 0; i < a.variables.size(); ++i) {
    const NetcdfVariable& left = a.variables[i];
    const NetcdfVariable& right = b.variables[i];
    const bool same =
        left.name == right.name && left.values.index() == right.values.index() &&
        std::visit(
            [&](const auto& values) {
              using Values = std::decay_t<decltype(values)>;
              const auto& others = std::get<Values>(right.values);
              if constexpr (std::is_same_v<Values, std::vector<std::string>>) {
                return values == others;
              } else {
                return values.size() == others.size() &&
                       std::memcmp(values.data(), others.data(), values.size() * sizeof(values[0])) == 0;
              }
            },
            left.values);
    if (!same) {
      return left.name;
    }
  }
  return "";
}

std::string first_difference(const fs::path& a, const fs::path& b) {
  return first_difference(read_netcdf(a.string()), read_netcdf(b.string()));
}

void expect_same_results(const fs::path& a, const fs::path& b) {
  for (const char* name : {"metrics.nc", "spectra.nc", "sums.nc"}) {
    EXPECT_EQ(first_difference(a / name, b / name), "") << name << " of " << b;
  }
  for (const auto& entry : fs::directory_iterator(a / "forecasts")) {
    EXPECT_EQ(first_difference(entry.path(), b / "forecasts" / entry.path().filename()), "") << entry.path();
  }
}

}  // namespace mosaic::test

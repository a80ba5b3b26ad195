#pragma once

#include <filesystem>
#include <string>

#include "stores/netcdf_document.hpp"

namespace mosaic::test {

struct Outcome {
  int code = -1;
  std::string text;  ///< stdout and stderr
};

Outcome shell(const std::string& command);

/// The path of a program of the suite.
std::string program(const std::string& name);

/// The name of the first variable in which two documents differ (bits, NaN included), or an empty text.
std::string first_difference(const NetcdfDocument& a, const NetcdfDocument& b);
std::string first_difference(const std::filesystem::path& a, const std::filesystem::path& b);

/// Expects metrics, spectra, sums and forecast files of two results folders to have the same bits.
void expect_same_results(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace mosaic::test

#include "stores/netcdf_document.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "base/error.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

using test::code_of;

namespace fs = std::filesystem;

/// Every type, a scalar, values that do not survive a detour through text, and attributes of all kinds.
NetcdfDocument sample() {
  const float tiny = std::numeric_limits<float>::denorm_min();
  NetcdfDocument document;
  document.dimensions = {{"metric", 2}, {"lead_time", 3}};
  document.variables = {
      {"metric",
       {"metric"},
       std::vector<std::string>{"rmse", "größe"},
       {{"long_name", std::string("score")}}},
      {"lead_time", {"lead_time"}, std::vector<std::int64_t>{0, 6, std::int64_t{1} << 40}, {}},
      {"rank",
       {"lead_time"},
       std::vector<std::int32_t>{-1, 2, 3},
       {{"flags", std::vector<std::int64_t>{1, 2}}}},
      {"score",
       {"metric", "lead_time"},
       std::vector<double>{0.1, 1.0 / 3.0, -0.0, 1e300, std::nan(""), 6.0},
       {{"_FillValue", std::nan("")}, {"bounds", std::vector<double>{0.1, 0.2}}}},
      {"field", {"lead_time"}, std::vector<float>{0.1F, tiny, -2.5F}, {{"_FillValue", std::nan("")}}},
      {"members", {}, std::vector<std::int32_t>{24}, {{"z", std::string()}, {"a", std::int64_t{7}}}},
      {"name", {}, std::vector<std::string>{"one"}, {}}};
  document.attributes = {
      {"title", std::string("sums")}, {"Conventions", std::string("CF-1.11")}, {"alpha", 0.1}};
  return document;
}

template <class Value>
void expect_same_bits(const Value& a, const Value& b) {
  if constexpr (std::is_same_v<Value, double>) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(a), std::bit_cast<std::uint64_t>(b));
  } else if constexpr (std::is_same_v<Value, float>) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(a), std::bit_cast<std::uint32_t>(b));
  } else {
    EXPECT_EQ(a, b);
  }
}

void expect_same_values(const NetcdfVariable& a, const NetcdfVariable& b) {
  ASSERT_EQ(a.values.index(), b.values.index()) << a.name;
  std::visit(
      [&](const auto& values) {
        const auto& others = std::get<std::decay_t<decltype(values)>>(b.values);
        ASSERT_EQ(values.size(), others.size()) << a.name;
        for (std::size_t i = 0; i < values.size(); ++i) {
          expect_same_bits(values[i], others[i]);
        }
      },
      a.values);
}

TEST(NetcdfDocument, RoundTripKeepsBitsTypesOrderAndAttributes) {
  const auto folder = test::scratch_dir("netcdf_document");
  const std::string path = (folder / "sample.nc").string();
  const NetcdfDocument written = sample();
  write_netcdf(path, written);
  const NetcdfDocument read = read_netcdf(path);
  EXPECT_EQ(read.dimensions, written.dimensions);
  ASSERT_EQ(read.variables.size(), written.variables.size());
  for (std::size_t i = 0; i < read.variables.size(); ++i) {
    EXPECT_EQ(read.variables[i].name, written.variables[i].name);
    EXPECT_EQ(read.variables[i].dimensions, written.variables[i].dimensions);
    expect_same_values(written.variables[i], read.variables[i]);
  }
  EXPECT_EQ(read.attributes, written.attributes);
  EXPECT_EQ(read.variable("members").attributes, written.variable("members").attributes);
  EXPECT_EQ(read.variable("rank").attributes, written.variable("rank").attributes);
  EXPECT_TRUE(std::isnan(std::get<double>(read.variable("field").attributes.at(0).second)));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1) << "a temporary file was left";
}

TEST(NetcdfDocument, AbsentNamesAreErrors) {
  const NetcdfDocument document = sample();
  EXPECT_EQ(document.dimension("lead_time"), 3U);
  EXPECT_EQ(code_of([&] { document.variable("nothing"); }), ExitCode::corrupt_input);
  EXPECT_EQ(code_of([&] { document.dimension("nothing"); }), ExitCode::corrupt_input);
}

TEST(NetcdfDocument, ProblemsNameFileAndClass) {
  const auto folder = test::scratch_dir("netcdf_document_errors");
  const std::string absent = (folder / "absent.nc").string();
  std::string message;
  EXPECT_EQ(code_of([&] { read_netcdf(absent); }, &message), ExitCode::missing_input);
  EXPECT_NE(message.find(absent), std::string::npos);

  const std::string text = (folder / "text.nc").string();
  std::ofstream(text) << "not a NetCDF file";
  EXPECT_EQ(code_of([&] { read_netcdf(text); }, &message), ExitCode::corrupt_input);
  EXPECT_NE(message.find(text), std::string::npos);

  const std::string nowhere = (folder / "no_such_folder" / "a.nc").string();
  EXPECT_EQ(code_of([&] { write_netcdf(nowhere, sample()); }, &message), ExitCode::cannot_create);
  EXPECT_NE(message.find(nowhere), std::string::npos);
}

TEST(NetcdfDocument, WrongSizesAreInternalErrorsAndLeaveNothing) {
  const auto folder = test::scratch_dir("netcdf_document_sizes");
  NetcdfDocument document = sample();
  document.variables[1].values = std::vector<std::int64_t>{1};
  EXPECT_EQ(code_of([&] { write_netcdf((folder / "a.nc").string(), document); }), ExitCode::internal);
  document = sample();
  document.variables[1].dimensions = {"unknown"};
  EXPECT_EQ(code_of([&] { write_netcdf((folder / "a.nc").string(), document); }), ExitCode::internal);
  document = sample();
  document.dimensions[0].second = 0;
  EXPECT_EQ(code_of([&] { write_netcdf((folder / "a.nc").string(), document); }), ExitCode::internal);
  EXPECT_TRUE(fs::is_empty(folder));
}

/// The must-fail twin of the round trip: one flipped byte in the stored values is found by fletcher32.
TEST(NetcdfDocument, DamageIsFound) {
  const auto folder = test::scratch_dir("netcdf_document_damage");
  const std::string path = (folder / "damaged.nc").string();
  NetcdfDocument document;
  document.dimensions = {{"x", 4096}};
  std::vector<double> values(4096);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::sin(static_cast<double>(i * i));
  }
  document.variables = {{"v", {"x"}, values, {}}};
  write_netcdf(path, document);
  EXPECT_EQ(code_of([&] { read_netcdf(path); }), ExitCode::complete);

  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto middle = static_cast<std::streamoff>(fs::file_size(path) - 8000);
  file.seekg(middle);
  const char byte = static_cast<char>(file.get());
  file.seekp(middle);
  file.put(static_cast<char>(byte ^ 0x10));
  file.close();
  std::string message;
  EXPECT_EQ(code_of([&] { read_netcdf(path); }, &message), ExitCode::corrupt_input);
  EXPECT_NE(message.find("variable v"), std::string::npos) << message;
}

}  // namespace
}  // namespace mosaic

#include <gtest/gtest.h>

#include <cmath>

#include "base/files.hpp"
#include "support/golden.hpp"
#include "tensor_samples.hpp"

namespace mosaic::test {
namespace {

const std::string good_header =
    R"({"__metadata__":{"source":"test"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
    R"("b":{"dtype":"I64","shape":[1],"data_offsets":[16,24]},)"
    R"("c":{"dtype":"F16","shape":[3],"data_offsets":[24,30]}})";

std::string good_data() {
  return bytes_of_all<float>({1, -2, 3.5, 4}) + bytes_of<std::int64_t>(-7) +
         bytes_of_all<std::uint16_t>({0x3c00, 0xc000, 0x0001});
}

std::string write_header(const std::string& header) {
  return write_bytes(scratch_dir("safetensors") / "case.safetensors", safetensors_bytes(header, good_data()));
}

TEST(Safetensors, ReadsValuesShapesTypesAndMetadata) {
  const auto file = open_tensor_file(write_header(good_header));
  ASSERT_EQ(file->tensors().size(), 3u);
  EXPECT_EQ(file->metadata().at("source"), "test");
  EXPECT_EQ(file->at("a").shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(file->at("a").to_double(), (std::vector<double>{1, -2, 3.5, 4}));
  EXPECT_EQ(file->at("b").to_int64(), (std::vector<std::int64_t>{-7}));
  EXPECT_EQ(file->at("c").to_float(), (std::vector<float>{1, -2, std::ldexp(1.f, -24)}));
}

TEST(Safetensors, ConvertsEveryType) {
  const std::string header = R"({"bf":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},)"
                             R"("d":{"dtype":"F64","shape":[],"data_offsets":[4,12]},)"
                             R"("i8":{"dtype":"I8","shape":[1],"data_offsets":[12,13]},)"
                             R"("u8":{"dtype":"U8","shape":[1],"data_offsets":[13,14]},)"
                             R"("i16":{"dtype":"I16","shape":[1],"data_offsets":[14,16]},)"
                             R"("i32":{"dtype":"I32","shape":[1],"data_offsets":[16,20]},)"
                             R"("flag":{"dtype":"BOOL","shape":[2],"data_offsets":[20,22]},)"
                             R"("inf":{"dtype":"F16","shape":[2],"data_offsets":[22,26]}})";
  const std::string data = bytes_of_all<std::uint16_t>({0x3f80, 0xc040}) + bytes_of(0.1) +
                           bytes_of<std::int8_t>(-3) + bytes_of<std::uint8_t>(200) +
                           bytes_of<std::int16_t>(-300) + bytes_of<std::int32_t>(70000) +
                           std::string("\x01\x00", 2) + bytes_of_all<std::uint16_t>({0xfc00, 0x7e00});
  const auto file = open_tensor_file(
      write_bytes(scratch_dir("types") / "types.safetensors", safetensors_bytes(header, data)));
  EXPECT_EQ(file->at("bf").to_float(), (std::vector<float>{1, -3}));
  EXPECT_EQ(file->at("d").to_double(), std::vector<double>{0.1});
  EXPECT_EQ(file->at("i8").to_int64(), std::vector<std::int64_t>{-3});
  EXPECT_EQ(file->at("u8").to_double(), std::vector<double>{200});
  EXPECT_EQ(file->at("i16").to_int64(), std::vector<std::int64_t>{-300});
  EXPECT_EQ(file->at("i32").to_float(), std::vector<float>{70000});
  EXPECT_EQ(file->at("flag").to_float(), (std::vector<float>{1, 0}));
  EXPECT_EQ(file->at("inf").to_float()[0], -INFINITY);
  EXPECT_TRUE(std::isnan(file->at("inf").to_float()[1]));
  EXPECT_THROW(file->at("d").to_int64(), Error);
}

TEST(Safetensors, AnAbsentTensorIsAnErrorNamingFileAndTensor) {
  const auto file = open_tensor_file(write_header(good_header));
  try {
    file->at("model.absent");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("model.absent"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find(file->path()), std::string::npos);
  }
}

struct BadHeader {
  std::string header;
  std::string reason;
};

TEST(Safetensors, RefusesBadHeadersWithTheReason) {
  const std::vector<BadHeader> cases = {
      {R"({"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,12]}})", "do not fit"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[1000,1008]}})", "truncated"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "begin, end"},
      {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "whole number"},
      {R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}})", "whole number"},
      {R"({"a":{"dtype":"Q7","shape":[2],"data_offsets":[0,8]}})", "Q7"},
      {R"({"a":{"shape":[2],"data_offsets":[0,8]}})", "dtype"},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", "do not fit"},
      {R"({"a":{"dtype":"F32","shape":[0,4611686018427387904,9],"data_offsets":[0,0]}})", "do not fit"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
       R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
       "overlap"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
       R"("b":{"dtype":"F16","shape":[10],"data_offsets":[10,30]}})",
       "2 bytes between a and entry b"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "22 bytes after the last entry"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
       R"("a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})",
       "twice"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":[[[[[1]]]]]}})", "nested"},
      {R"({"__metadata__":{"k":1}})", "not text"},
      {R"({"a": )", "valid JSON"},
      {R"({"a":3})", "not a JSON object"},
  };
  for (const auto& bad : cases) {
    const std::string error = open_error(write_header(bad.header));
    EXPECT_NE(error.find(bad.reason), std::string::npos) << bad.header << "\n" << error;
  }
}

TEST(Safetensors, RefusesAHeaderLongerThanTheFile) {
  const auto dir = scratch_dir("long");
  const std::string bytes = bytes_of<std::uint64_t>(1u << 30) + good_header;
  EXPECT_NE(open_error(write_bytes(dir / "a", bytes)).find("header"), std::string::npos);
  EXPECT_NE(open_error(write_bytes(dir / "b", "{}")).find("neither"), std::string::npos);
  EXPECT_NE(open_error(write_bytes(dir / "c", "")).find("neither"), std::string::npos);
}

TEST(Safetensors, AMissingFileIsMissingInput) {
  try {
    open_tensor_file("no/such/file.safetensors");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::missing_input);
  }
}

TEST(Safetensors, MutatedFilesAreReadOrRefused) {
  const auto path = scratch_dir("mutated") / "mutated.safetensors";
  const std::string good = safetensors_bytes(good_header, good_data());
  const int refused = count_refused(path, 1000, [&](std::uint32_t seed) { return mutate(good, seed); });
  EXPECT_GT(refused, 500);
  EXPECT_LT(refused, 1000);
}

TEST(WriteSafetensors, RoundTripIsExactAlignedAndDeterministic) {
  const auto dir = scratch_dir("write");
  const std::string bytes = good_data();
  const auto part = [&](std::size_t from, std::size_t count) {
    return std::as_bytes(std::span(bytes).subspan(from, count));
  };
  const std::map<std::string, TensorSource> tensors = {{"x", {TensorType::float32, {2, 2}, part(0, 16)}},
                                                       {"h", {TensorType::float16, {3}, part(24, 6)}},
                                                       {"empty", {TensorType::float64, {0, 5}, {}}},
                                                       {"w", {TensorType::int64, {}, part(16, 8)}}};
  const std::map<std::string, std::string> metadata = {{"source_sha256", "abc"}, {"name", "äöü \"quoted\""}};
  for (const char* name : {"first", "second"}) {
    write_safetensors((dir / name).string(), tensors, metadata);
  }
  EXPECT_EQ(read_text((dir / "first").string()), read_text((dir / "second").string()));

  const auto file = open_tensor_file((dir / "first").string());
  EXPECT_EQ(file->metadata(), metadata);
  ASSERT_EQ(file->tensors().size(), tensors.size());
  for (const auto& [name, source] : tensors) {
    const auto& view = file->at(name);
    EXPECT_EQ(view.type, source.type);
    EXPECT_EQ(view.shape, source.shape);
    EXPECT_TRUE(std::ranges::equal(view.bytes, source.bytes)) << name;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.bytes.data()) % item_size(view.type), 0u) << name;
  }
}

TEST(WriteSafetensors, RefusesAShapeThatDoesNotFitAndLeavesNothingBehind) {
  const auto dir = scratch_dir("refuse");
  const std::string bytes(12, '\0');
  EXPECT_THROW(write_safetensors((dir / "bad").string(),
                                 {{"x", {TensorType::float32, {4}, std::as_bytes(std::span(bytes))}}}, {}),
               Error);
  EXPECT_TRUE(std::filesystem::is_empty(dir));
}

}  // namespace
}  // namespace mosaic::test

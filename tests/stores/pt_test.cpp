#include <gtest/gtest.h>

#include <algorithm>

#include "pickle_samples.hpp"
#include "support/golden.hpp"
#include "tensor_samples.hpp"

namespace mosaic::test {
namespace {

using namespace pickle;

std::string write_checkpoint(const std::string& root) {
  return write_bytes(scratch_dir("pt") / "case.pt", checkpoint("\x80\x02" + root + "."));
}

TEST(Pt, ReadsTheModelAmongForeignObjects) {
  for (const ZipKind kind : {ZipKind::stored, ZipKind::deflated, ZipKind::zip64}) {
    const auto path = scratch_dir("model") / "model.pt";
    const auto file =
        open_tensor_file(write_bytes(path, checkpoint(training_pickle(), storages(), "little", kind)));
    ASSERT_EQ(file->tensors().size(), 4u);
    EXPECT_EQ(file->at("model.weight").shape, (std::vector<std::int64_t>{3, 4}));
    EXPECT_EQ(file->at("model.weight").to_float()[11], 11.f);
    EXPECT_EQ(file->at("model.part").to_float(), (std::vector<float>{5, 6, 9, 10}));
    EXPECT_EQ(file->at("model.transposed").to_float(),
              (std::vector<float>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}));
    EXPECT_EQ(file->at("model.count").to_int64(), std::vector<std::int64_t>{6});
    EXPECT_FALSE(std::filesystem::exists("executed"));
  }
}

TEST(Pt, AnObjectIsAnErrorOnlyWhereATensorIsExpected) {
  const auto path = scratch_dir("object") / "object.pt";
  const auto file = open_tensor_file(write_bytes(path, checkpoint(training_pickle())));
  try {
    file->at("model.extra");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("os.system"), std::string::npos) << error.what();
  }
}

TEST(Pt, ReadsAPlainDictOfTensors) {
  const auto file = open_tensor_file(write_checkpoint(dict({text("x"), floats({12}, {1})})));
  EXPECT_EQ(file->at("x").elements(), 12u);
}

TEST(Pt, ReadsBigEndianStorages) {
  auto items = storages();
  for (std::size_t i = 0; i < items[0].data.size(); i += 4) {
    std::reverse(items[0].data.begin() + static_cast<std::ptrdiff_t>(i),
                 items[0].data.begin() + static_cast<std::ptrdiff_t>(i) + 4);
  }
  for (const ZipKind kind : {ZipKind::stored, ZipKind::deflated}) {
    const auto path = scratch_dir("big") / "big.pt";
    const std::string pickle = "\x80\x02" + dict({text("x"), floats({2, 3}, {3, 1})}) + ".";
    const auto file = open_tensor_file(write_bytes(path, checkpoint(pickle, items, "big", kind)));
    EXPECT_EQ(file->at("x").to_float(), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  }
}

struct BadRoot {
  std::string root;
  std::string reason;
};

TEST(Pt, RefusesHostilePicklesWithTheReason) {
  const int huge = 0x7fffffff;
  const std::vector<BadRoot> cases = {
      {foreign_object(), "os.system"},
      {dict({text("model_state_dict"), foreign_object()}), "model_state_dict"},
      {dict({text("epoch"), integer(1)}), "neither"},
      {dict({text("x"), floats({13}, {1})}), "beyond"},
      {dict({text("x"), floats({3}, {1}, 10)}), "beyond"},
      {dict({text("x"), floats({huge, huge, huge}, {0, 0, 0})}), "damaged"},
      {dict({text("x"), floats({1000000}, {0})}), "beyond"},
      {dict({text("x"), floats({2}, {huge})}), "beyond"},
      {dict({text("x"), floats({-1}, {1})}), "whole numbers"},
      {dict({text("x"), floats({2, 2}, {1})}), "damaged"},
      {dict({text("x"), tensor(storage("FloatStorage", "9", 12), 0, {1}, {1})}), "absent"},
      {dict({text("x"), tensor(storage("FloatStorage", "0", 11), 0, {1}, {1})}), "says otherwise"},
      {dict({text("x"), tensor(storage("ComplexFloatStorage", "0", 6), 0, {1}, {1})}), "ComplexFloat"},
      {dict({text("x"), tensor(integer(3), 0, {1}, {1})}), "storage id"},
      {"u", "mark"},
      {"0", "empty stack"},
      {"h\x07", "memo 7"},
      {"}K\x01"
       "a",
       "cannot take"},
      {"\x93", "opcode 0x93"},
      {"i", "opcode 0x69"},
      {"\x80\x04", "protocol 4"},
      {"X\xff\xff\xff\x7f", "ends within"},
      {"cmodule", "without an end"},
  };
  for (const auto& bad : cases) {
    const std::string error = open_error(write_checkpoint(bad.root));
    EXPECT_NE(error.find(bad.reason), std::string::npos) << bad.reason << ": " << error;
  }
}

TEST(Pt, DeepNestingAndCyclesDoNoHarm) {
  std::string nested = "\x80\x02}q" + std::string(1, '\0') + text("deep");
  nested += std::string(200000, ']') + std::string(199999, 'a') + "s" + text("self") + "h" +
            std::string(1, '\0') + "s" + text("x") + floats({12}, {1}) + "s.";
  const auto path = scratch_dir("nested") / "nested.pt";
  EXPECT_EQ(open_tensor_file(write_bytes(path, checkpoint(nested)))->at("x").elements(), 12u);
}

TEST(Pt, TooManyValuesAreRefused) {
  const std::string pickle = "\x80\x02" + std::string(4'000'001, ')') + ".";
  const auto path = scratch_dir("many") / "many.pt";
  EXPECT_NE(open_error(write_bytes(path, checkpoint(pickle))).find("4 million"), std::string::npos);
}

TEST(Pt, MutatedFilesAreReadOrRefused) {
  const auto path = scratch_dir("mutated_pt") / "mutated.pt";
  for (const ZipKind kind : {ZipKind::stored, ZipKind::zip64}) {
    const std::string good = checkpoint(training_pickle(), storages(), "little", kind);
    const int refused = count_refused(path, 1000, [&](std::uint32_t seed) { return mutate(good, seed); });
    EXPECT_GT(refused, 500);
    EXPECT_LT(refused, 1000);
  }
}

TEST(Pt, MutatedPicklesWithTrueChecksumsAreReadOrRefused) {
  const auto path = scratch_dir("mutated_pickle") / "mutated.pt";
  const int refused = count_refused(
      path, 4000, [](std::uint32_t seed) { return checkpoint(mutate(training_pickle(), seed)); });
  EXPECT_GT(refused, 1000);
  EXPECT_LT(refused, 4000);
}

}  // namespace
}  // namespace mosaic::test

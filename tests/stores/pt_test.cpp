#include <gtest/gtest.h>

#include <algorithm>

#include "support/golden.hpp"
#include "tensor_samples.hpp"

namespace mosaic::test {
namespace {

/// Pickle fragments in protocol 2, as bytes.
std::string opcode(char code, const std::string& argument) { return std::string(1, code).append(argument); }
std::string text(const std::string& value) {
  return opcode('X', bytes_of(static_cast<std::uint32_t>(value.size())) + value);
}
std::string integer(std::int32_t value) { return opcode('J', bytes_of(value)); }
std::string name(const std::string& module, const std::string& name) {
  return opcode('c', module + "\n" + name + "\n");
}
std::string tuple(const std::vector<std::string>& items) {
  std::string out = "(";
  for (const auto& item : items) {
    out += item;
  }
  return out + "t";
}
std::string integers(const std::vector<int>& values) {
  std::vector<std::string> items;
  std::ranges::transform(values, std::back_inserter(items), integer);
  return tuple(items);
}
std::string dict(const std::vector<std::string>& keys_and_values) {
  std::string out = "}(";
  for (const auto& item : keys_and_values) {
    out += item;
  }
  return out + "u";
}
std::string storage(const std::string& type, const std::string& key, int items) {
  return tuple({text("storage"), name("torch", type), text(key), text("cuda:0"), integer(items)}) + "Q";
}
std::string ordered_dict() { return name("collections", "OrderedDict") + ")R"; }
std::string tensor(const std::string& storage, int offset, const std::vector<int>& shape,
                   const std::vector<int>& stride) {
  return name("torch._utils", "_rebuild_tensor_v2") +
         tuple({storage, integer(offset), integers(shape), integers(stride), "\x89", ordered_dict()}) + "R";
}
std::string parameter(const std::string& tensor) {
  return name("torch._utils", "_rebuild_parameter") + tuple({tensor, "\x88", ordered_dict()}) + "R";
}
std::string foreign_object() {
  return name("os", "system") + tuple({text("touch executed")}) + "R" + dict({text("state"), integer(1)}) +
         "b";
}

/// Storage "0": floats 0 to 11; storage "1": integers 5, 6.
std::vector<ZipItem> storages() {
  std::vector<float> values(12);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i);
  }
  return {{"archive/data/0", bytes_of_all(values)}, {"archive/data/1", bytes_of_all<std::int64_t>({5, 6})}};
}

std::string checkpoint(const std::string& pickle, std::vector<ZipItem> items = storages(),
                       const std::string& byte_order = "little", ZipKind kind = ZipKind::stored) {
  items.insert(items.begin(), {"archive/data.pkl", pickle});
  items.push_back({"archive/byteorder", byte_order});
  items.push_back({"archive/version", "3\n"});
  return zip_bytes(items, kind);
}

std::string write_checkpoint(const std::string& root) {
  return write_bytes(scratch_dir("pt") / "case.pt", checkpoint("\x80\x02" + root + "."));
}

std::string floats(const std::vector<int>& shape, const std::vector<int>& stride, int offset = 0) {
  return tensor(storage("FloatStorage", "0", 12), offset, shape, stride);
}

/// What a training script saves: the model among things a strict reader does not know.
std::string training_pickle() {
  const std::string model =
      ordered_dict() + "q\x05(" + text("model.weight") + parameter(floats({3, 4}, {4, 1})) +
      text("model.part") + floats({2, 2}, {4, 1}, 5) + text("model.transposed") + floats({4, 3}, {1, 4}) +
      text("model.count") + tensor(storage("LongStorage", "1", 2), 1, {}, {}) + text("model.extra") +
      foreign_object() + "u" + dict({text("_metadata"), ordered_dict()}) + "b";
  return "\x80\x02" +
         dict({text("epoch"), integer(12), text("best"), foreign_object(), text("model_state_dict"), model,
               text("again"), "h\x05", text("history"), "](N\x88G" + std::string(8, '\0') + "e"}) +
         ".";
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

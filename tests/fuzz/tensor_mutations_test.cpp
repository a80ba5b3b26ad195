#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "fuzz/campaign.hpp"
#include "stores/pickle_samples.hpp"
#include "stores/tensor_samples.hpp"
#include "support/golden.hpp"

namespace mosaic::test {
namespace {

struct JsonEdit {
  const char* pointer;
  const char* value;
};

std::string header_of(const std::string& file) {
  std::uint64_t length = 0;
  std::copy_n(file.begin(), sizeof(length), reinterpret_cast<char*>(&length));
  return file.substr(sizeof(length), length);
}

std::string sample_safetensors() {
  const std::string data(64, '\x07');
  const auto part = [&](std::size_t from, std::size_t count) {
    return std::as_bytes(std::span(data).subspan(from, count));
  };
  const std::string path = (scratch_dir("safetensors_sample") / "sample").string();
  write_safetensors(path,
                    {{"double", {TensorType::float64, {2}, part(0, 16)}},
                     {"float", {TensorType::float32, {2, 3}, part(16, 24)}},
                     {"half", {TensorType::float16, {3}, part(40, 6)}},
                     {"empty", {TensorType::float32, {0, 4}, {}}}},
                    {{"source", "test"}, {"key", "value"}});
  return read_text(path);
}

/// Each makes a header that cannot be true.
constexpr JsonEdit impossible_headers[] = {{"/float/dtype", "(remove)"},
                                           {"/float/shape", "(remove)"},
                                           {"/half/data_offsets", "(remove)"},
                                           {"/float/shape", "[2,4]"},
                                           {"/float/shape", "[2,3,1,1000000]"},
                                           {"/float/shape", "[4611686018427387904,6]"},
                                           {"/float/shape", "[-2,-3]"},
                                           {"/float/shape", "[2.0,3]"},
                                           {"/half/shape/0", "9223372036854775807"},
                                           {"/float/dtype", "\"F64\""},
                                           {"/float/dtype", "\"F4\""},
                                           {"/float/dtype", "7"},
                                           {"/float/data_offsets", "[0,24]"},
                                           {"/float/data_offsets", "[40,16]"},
                                           {"/float/data_offsets", "[16,18446744073709551615]"},
                                           {"/float/data_offsets/1", "1000000000000"},
                                           {"/half/data_offsets", "[41,47]"},
                                           {"/half", "(remove)"},
                                           {"/__metadata__/key", "1"},
                                           {"/__metadata__", "[]"},
                                           {"/double", "{}"}};

Mutation mutate_safetensors(Mutator& mutator, const Files& sample) {
  const std::string& good = sample.begin()->second;
  const std::string header = header_of(good);
  const std::size_t start = sizeof(std::uint64_t) + header.size();
  const auto with_header = [&](const std::string& text) {
    return safetensors_bytes(text, good.substr(start));
  };
  const auto result = [&](std::string bytes, Allowed allowed, const std::string& what) {
    return Mutation{{{sample.begin()->first, std::move(bytes)}}, allowed, what};
  };
  switch (mutator.below(7)) {
    case 0:
      return result(mutator.changed(good), Allowed::reading, "bytes");
    case 1:
      return result(mutator.flipped(good, start, good.size() - start), Allowed::same_structure, "values");
    case 2:
      return result(mutator.cut(good), Allowed::nothing, "cut off");
    case 3:
      return result(good + std::string(1 + mutator.below(20), '\0'), Allowed::nothing, "bytes at the end");
    case 4: {
      const std::uint64_t other = mutator.one_in(2) ? mutator.awkward_number() : mutator.below(good.size());
      return result(bytes_of(other) + good.substr(sizeof(other)), Allowed::same_everything,
                    "header length " + std::to_string(other));
    }
    case 5: {
      const JsonEdit& edit = impossible_headers[mutator.below(std::size(impossible_headers))];
      return result(with_header(with_json(header, edit.pointer, edit.value)), Allowed::nothing,
                    std::string(edit.pointer) + " " + edit.value);
    }
    default:
      return result(with_header(mutator.json_edited(header)), Allowed::reading, "JSON");
  }
}

std::vector<ZipItem> npz_items() {
  return {{"a.npy", npy_bytes("<f4", "(2, 3)", bytes_of_all<float>({1, 2, 3, 4, 5, 6}))},
          {"b.npy", npy_bytes(">i8", "()", bytes_of<std::int64_t>(-9))},
          {"c.npy", npy_bytes("<f8", "(2, 2)", bytes_of_all<double>({1, 2, 3, 4}), true)},
          {"d.npy", npy_bytes("|b1", "(2,)", std::string("\x01\x00", 2), false, 2)}};
}

/// Headers that cannot be true for the 24 data bytes of a.npy.
constexpr const char* impossible_shapes[] = {
    "(2, 4)", "(-2, -3)", "(4611686018427387904, 6)", "(6, 1, 1, 1, 99)",
    "(2; 3)", "(2.0, 3)", "(99999999999999999999,)",  "2, 3",
    "(0, 6)", "("};

std::string zip_of(Mutator& mutator, const std::vector<ZipItem>& items) {
  constexpr ZipKind kinds[] = {ZipKind::stored, ZipKind::deflated, ZipKind::zip64};
  return zip_bytes(items, kinds[mutator.below(std::size(kinds))]);
}

/// Damage to a zip file that its checksums or its directory show.
Mutation mutate_zip(Mutator& mutator, const std::string& name, const std::vector<ZipItem>& items) {
  const std::string stored = zip_bytes(items);
  switch (mutator.below(4)) {
    case 0: {
      const ZipItem& item = items[mutator.below(items.size())];
      const std::size_t place = stored.find(item.data);
      return {{{name, mutator.flipped(stored, place, item.data.size())}},
              Allowed::same_everything,  // flips may undo each other
              "values of " + item.name};
    }
    case 1:
      return {{{name, mutator.cut(stored)}}, Allowed::nothing, "cut off"};
    case 2:
      return {{{name, mutator.inflated(zip_of(mutator, items))}}, Allowed::reading, "lengths"};
    default:
      return {{{name, mutator.changed(zip_of(mutator, items))}}, Allowed::reading, "bytes"};
  }
}

Mutation mutate_npz(Mutator& mutator, const Files& sample) {
  const std::string& name = sample.begin()->first;
  std::vector<ZipItem> items = npz_items();
  switch (mutator.below(4)) {
    case 0:
      return mutate_zip(mutator, name, items);
    case 1: {
      const char* shape = impossible_shapes[mutator.below(std::size(impossible_shapes))];
      items.front().data = npy_bytes("<f4", shape, bytes_of_all<float>({1, 2, 3, 4, 5, 6}));
      return {{{name, zip_of(mutator, items)}}, Allowed::nothing, std::string("shape ") + shape};
    }
    case 2: {  // the member's checksum is right
      ZipItem& item = items[mutator.below(items.size())];
      item.data = mutator.one_in(3) ? mutator.inflated(item.data) : mutator.changed(item.data);
      return {{{name, zip_of(mutator, items)}}, Allowed::reading, "member " + item.name};
    }
    default: {
      ZipItem& item = items[mutator.below(items.size())];
      mutator.one_in(2) ? item.name = items[mutator.below(items.size())].name
                        : item.name = mutator.changed(item.name);
      return {{{name, zip_of(mutator, items)}}, Allowed::reading, "name " + item.name};
    }
  }
}

std::vector<ZipItem> pt_items(const std::string& pickle) {
  std::vector<ZipItem> items = pickle::storages();
  items.insert(items.begin(), {"archive/data.pkl", pickle});
  items.push_back({"archive/byteorder", "little"});
  return items;
}

Mutation mutate_pt(Mutator& mutator, const Files& sample) {
  const std::string& name = sample.begin()->first;
  std::vector<ZipItem> items = pt_items(pickle::training_pickle());
  switch (mutator.below(4)) {
    case 0:
      return mutate_zip(mutator, name, items);
    case 1: {
      ZipItem& item = items[mutator.below(items.size())];
      item.data = mutator.changed(item.data);
      return {{{name, zip_of(mutator, items)}}, Allowed::reading, "member " + item.name};
    }
    default:
      items.front().data =
          mutator.one_in(3) ? mutator.inflated(items.front().data) : mutator.changed(items.front().data);
      return {{{name, zip_of(mutator, items)}}, Allowed::reading, "pickle"};
  }
}

TEST(HostileTensors, Safetensors) {
  const Tally tally = run_campaign({.name = "safetensors",
                                    .opened = "sample.safetensors",
                                    .sample = {{"sample.safetensors", sample_safetensors()}},
                                    .read = read_tensors,
                                    .mutate = mutate_safetensors});
  EXPECT_GT(tally.refused, tally.files / 2);
  EXPECT_GT(tally.other_values, 0U);
}

TEST(HostileTensors, Npz) {
  const Tally tally = run_campaign({.name = "npz",
                                    .opened = "sample.npz",
                                    .sample = {{"sample.npz", zip_bytes(npz_items())}},
                                    .read = read_tensors,
                                    .mutate = mutate_npz});
  EXPECT_GT(tally.refused, tally.files / 2);
}

TEST(HostileTensors, Pt) {
  const Tally tally = run_campaign({.name = "pt",
                                    .opened = "sample.pt",
                                    .sample = {{"sample.pt", zip_bytes(pt_items(pickle::training_pickle()))}},
                                    .read = read_tensors,
                                    .mutate = mutate_pt});
  EXPECT_GT(tally.refused, tally.files / 2);
}

}  // namespace
}  // namespace mosaic::test

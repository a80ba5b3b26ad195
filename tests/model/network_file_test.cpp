#include "model/network_file.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/files.hpp"
#include "model/checkpoint.hpp"
#include "model/formula_numbers.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

NetworkDescription small_network() {
  NetworkDescription small = published_description("hres");
  small.network = demo_network();
  small.network.attention = AttentionKind::no_compressed;
  small.network.noise = NoiseKind::none;
  small.channels = {parse_channel("2m_temperature"), parse_channel("geopotential_500")};
  small.network.channels = 2;
  return small;
}

void expect_equal(const NetworkDescription& a, const NetworkDescription& b) {
  EXPECT_EQ(describe(a.network), describe(b.network));
  EXPECT_EQ(a.channels, b.channels);
  EXPECT_EQ(a.step, b.step);
}

TEST(NetworkFile, AnEmptyOneIsThePublishedNetwork) {
  expect_equal(parse_network_file("", "empty"), published_description("era5"));
}

TEST(NetworkFile, PrintedAndReadAgainIsTheSame) {
  for (const NetworkDescription& description : {published_description("hres"), small_network()}) {
    expect_equal(parse_network_file(print_network_file(description), "printed"), description);
  }
}

TEST(NetworkFile, ReferenceIsThePublishedNetwork) {
  expect_equal(parse_network_file(network_file_reference(), "reference"), published_description("era5"));
}

void expect_refused(const std::string& yaml, const std::string& reason) {
  try {
    parse_network_file(yaml, "wrong.yaml");
    ADD_FAILURE() << "accepted:\n" << yaml;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_configuration);
    EXPECT_NE(std::string(error.what()).find("wrong.yaml"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(reason), std::string::npos) << error.what();
  }
}

TEST(NetworkFile, WhatDoesNotFitIsNamed) {
  expect_refused("stages:\n  widht: [768, 1024]\n", "stages.width");
  expect_refused("stages:\n  width: [768]\n", "stages.width has 1 values");
  expect_refused("stages:\n  width: [760, 1024]\n", "12 heads of 64 are not 760 wide");
  expect_refused("channels: [temprature_500]\n", "temperature_500");
  expect_refused("attention: sparse\n", "local-only");
}

class NetworkCheckpoint : public testing::Test {
 protected:
  NetworkCheckpoint() : folder_(test::scratch_dir("checkpoint")) {
    description_ = small_network();
    for (const auto& [name, shape] : parameter_shapes(description_.network)) {
      values_[name] = formula_weight("test", name, shape[0], shape[1]);
      tensors_[name] = {TensorType::float32, shape, std::as_bytes(std::span(values_[name]))};
    }
  }
  ~NetworkCheckpoint() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
  NetworkDescription description_;
  std::map<std::string, std::vector<float>> values_;
  std::map<std::string, TensorSource> tensors_;
};

TEST_F(NetworkCheckpoint, AConvertedOneSaysWhichNetworkItHolds) {
  write_safetensors(path("plain.safetensors"), tensors_, {});
  const auto plain = open_tensor_file(path("plain.safetensors"));
  EXPECT_FALSE(stored_description(*plain).has_value());
  convert_checkpoint(path("plain.safetensors"), path("native.safetensors"), description_, "",
                     {{"who", "me"}});
  const auto native = open_tensor_file(path("native.safetensors"));
  ASSERT_TRUE(stored_description(*native).has_value());
  expect_equal(*stored_description(*native), description_);
  EXPECT_EQ(native->metadata().at("who"), "me");
  EXPECT_EQ(native->metadata().at("source_sha256"), sha256_of_file(path("plain.safetensors")));
  EXPECT_NO_THROW(check_stored_description(*native, description_));
  NetworkDescription other = description_;
  other.step = Duration::hours(24);
  EXPECT_THROW(check_stored_description(*native, other), Error);
}

TEST_F(NetworkCheckpoint, AnotherNetworkIsNotConverted) {
  tensors_.erase("model.postprocess.3.weight");
  write_safetensors(path("plain.safetensors"), tensors_, {});
  EXPECT_THROW(
      convert_checkpoint(path("plain.safetensors"), path("native.safetensors"), description_, "", {}), Error);
  EXPECT_FALSE(std::filesystem::exists(path("native.safetensors")));
}

TEST_F(NetworkCheckpoint, NeighbourTablesGoIntoTheConvertedFile) {
  write_safetensors(path("plain.safetensors"), tensors_, {});
  const std::int64_t nside = description_.network.stages.front().nside, k = description_.network.neighbours;
  const std::vector<std::int32_t> to_hp(static_cast<std::size_t>(12 * nside * nside * k), 3);
  const std::vector<std::int32_t> to_ll(static_cast<std::size_t>(50 * k), 4);
  const auto source = [&](const std::vector<std::int32_t>& table) {
    return TensorSource{
        TensorType::int32, {static_cast<std::int64_t>(table.size()) / k, k}, std::as_bytes(std::span(table))};
  };
  write_safetensors(path("tables.safetensors"), {{"to_hp", source(to_hp)}, {"to_ll", source(to_ll)}}, {});
  convert_checkpoint(path("plain.safetensors"), path("native.safetensors"), description_,
                     path("tables.safetensors"), {});
  const auto native = open_tensor_file(path("native.safetensors"));
  EXPECT_EQ(native->at("model.interp_to_hp.neighbors").to_int64().front(), 3);
  EXPECT_EQ(native->at("model.interp_to_ll.neighbors").to_int64().front(), 4);
  write_safetensors(path("tables.safetensors"), {{"to_hp", source(to_ll)}, {"to_ll", source(to_ll)}}, {});
  EXPECT_THROW(convert_checkpoint(path("plain.safetensors"), path("again.safetensors"), description_,
                                  path("tables.safetensors"), {}),
               Error);
}

}  // namespace
}  // namespace mosaic

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/error.hpp"
#include "base/files.hpp"
#include "model/golden_case.hpp"
#include "model/mosaic_model.hpp"
#include "model/network/member_step.hpp"
#include "stores/convert.hpp"
#include "stores/tensor_file.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"

namespace mosaic::test {
namespace {

constexpr double rollout_limit = 1e-4;  // golden README: float32 reaches 2.3e-5 after three steps

TensorSource source_of(const at::Tensor& tensor) {
  return {tensor.scalar_type() == at::kLong ? TensorType::int64 : TensorType::float32,
          tensor.sizes().vec(),
          {static_cast<const std::byte*>(tensor.const_data_ptr()),
           tensor.numel() * static_cast<std::size_t>(tensor.element_size())}};
}

ChannelSet numbered_channels(int count) {
  ChannelSet channels;
  for (int c = 0; c < count; ++c) {
    channels.push_back({"channel" + std::to_string(c), std::nullopt});
  }
  return channels;
}

/// The tiny model of one rollout preset, its files written to a scratch folder.
struct TinyRollout {
  GoldenCase which;
  std::filesystem::path folder, scratch;
  std::unique_ptr<TensorFile> inputs, rollout;
  MosaicModelOptions options;

  TinyRollout(const std::filesystem::path& folder, const std::string& preset)
      : which(read_case(folder / "config.json")),
        folder(folder),
        scratch(scratch_dir("model_" + preset)),
        inputs(open_tensor_file((folder / "inputs.safetensors").string())),
        rollout(open_tensor_file((folder / "rollout.safetensors").string())) {
    which.network.history = static_cast<int>(rollout->at(preset + ".history").shape[0]);
    which.network.neighbours = static_cast<int>(neighbours(preset, "interp_to_hp.neighbors").size(1));
    write_checkpoint(preset);
    write("norm.safetensors",
          {{"state_mean", entry(*inputs, "state_mean")}, {"state_std", entry(*inputs, "state_std")}});
    write("static.safetensors", {{"data", entry(*inputs, "static_data")},
                                 {"latitude", entry(*inputs, "latitude")},
                                 {"longitude", entry(*inputs, "longitude")}});
    options = {{which.network, numbered_channels(which.network.channels),
                Duration::hours(preset == "hres" ? 6 : 24)},
               (scratch / "weights.safetensors").string(),
               (scratch / "norm.safetensors").string(),
               (scratch / "static.safetensors").string(),
               "",
               Calendar::published,
               2,
               1,
               which.grid};
  }
  ~TinyRollout() { std::filesystem::remove_all(scratch); }

  void write(const std::string& name, const std::map<std::string, at::Tensor>& tensors) const {
    std::map<std::string, TensorSource> sources;
    for (const auto& [key, tensor] : tensors) {
      sources[key] = source_of(tensor);
    }
    write_safetensors((scratch / name).string(), sources, {});
  }

  /// The preset's own neighbour table, or the one that all share.
  at::Tensor neighbours(const std::string& preset, const std::string& part) const {
    const std::string own = preset + "." + part;
    const auto buffers = open_tensor_file((folder / "buffers.safetensors").string());
    return rollout->has(own) ? entry(*rollout, own) : entry(*buffers, "model." + part);
  }

  void write_checkpoint(const std::string& preset) const {
    Parameters tensors = formula_parameters(which.network, which.key);
    for (const std::string part : {"interp_to_hp.neighbors", "interp_to_ll.neighbors"}) {
      tensors["model." + part] = neighbours(preset, part);
    }
    const std::string weight = "model.preprocess.0.weight";
    if (rollout->has(preset + "." + weight)) {
      tensors[weight] = entry(*rollout, preset + "." + weight);
    }
    write("weights.safetensors", tensors);
  }
};

/// The physical history of `members` members, [B, T, C, lat, lon].
std::vector<float> initial_history(const at::Tensor& stored, int members) {
  const at::Tensor states = stored.permute({0, 3, 2, 1}).contiguous();
  const float* data = states.const_data_ptr<float>();
  std::vector<float> history;
  for (int m = 0; m < members; ++m) {
    history.insert(history.end(), data, data + states.numel());
  }
  return history;
}

/// Newest states of all members after each step, [step][member, lon, lat, C], with the phases of the golden
/// case.
std::vector<at::Tensor> golden_rollout(const TinyRollout& tiny, const std::string& preset) {
  const auto weights = open_tensor_file(tiny.options.weights);
  const at::Tensor columns = static_columns(tiny.inputs->at("static_data").to_float(), tiny.which.grid);
  const Network network(tiny.which.network, parameters_from(tiny.which.network, *weights),
                        make_tables(tiny.which.network, tiny.which.grid, columns, weights.get(), nullptr, 1));
  const MemberStep member_step(
      network,
      {entry(*tiny.inputs, "state_mean").view({-1, 1, 1}), entry(*tiny.inputs, "state_std").view({-1, 1, 1})},
      tiny.which.grid);
  const std::vector<float> phases = tiny.inputs->at("day_year").to_float();
  const Duration model_step = Duration::hours(preset == "hres" ? 6 : 24);
  const at::Tensor noise = entry(*tiny.rollout, preset + ".e"),
                   start = entry(*tiny.rollout, preset + ".history");
  const auto lat = start.size(2), lon = start.size(1), channels = start.size(3);
  std::vector<at::Tensor> forecasts;
  for (std::int64_t member = 0; member < noise.size(1); ++member) {
    std::vector<float> history = initial_history(start, 1);
    for (int step = 0; step < noise.size(0); ++step) {
      const at::Tensor draw = noise[step][member].contiguous();
      member_step.advance(history, {draw.const_data_ptr<float>(), static_cast<std::size_t>(draw.numel())},
                          published_phases({phases[0], phases[1]}, step, model_step));
      const std::span<const float> newest =
          std::span(history).last(static_cast<std::size_t>(channels * lat * lon));
      forecasts.push_back(tensor_from(newest, {channels, lat, lon}).permute({2, 1, 0}).contiguous());
    }
  }
  return forecasts;
}

class RolloutGolden : public testing::TestWithParam<std::string> {};

TEST_P(RolloutGolden, FollowsThePublishedRollout) {
  GOLDEN_OR_SKIP(folder, "model/tiny");
  const TinyRollout tiny(folder, GetParam());
  const at::Tensor truth = entry(*tiny.rollout, GetParam() + ".forecast");
  const at::Tensor mean = entry(*tiny.inputs, "state_mean"), std = entry(*tiny.inputs, "state_std");
  const auto forecasts = golden_rollout(tiny, GetParam());
  ASSERT_EQ(static_cast<std::int64_t>(forecasts.size()), truth.size(0) * truth.size(1));
  for (std::size_t i = 0; i < forecasts.size(); ++i) {
    const auto member = static_cast<std::int64_t>(i) / truth.size(1),
               step = static_cast<std::int64_t>(i) % truth.size(1);
    EXPECT_LE(deviation((forecasts[i] - mean) / std, (truth[member][step] - mean) / std).max, rollout_limit)
        << "member " << member << " step " << step;
  }
}
INSTANTIATE_TEST_SUITE_P(Presets, RolloutGolden, testing::Values("era5", "hres"));

/// One step of two members from a real time.
std::vector<float> one_step(const TinyRollout& tiny, int batch, int first_member, Precision precision) {
  MosaicModelOptions options = tiny.options;
  options.batch = batch;
  options.precision = precision;
  const auto model = make_mosaic_model(options);
  std::vector<float> history = initial_history(entry(*tiny.rollout, "era5.history"), batch);
  const at::Tensor noise =
      entry(*tiny.rollout, "era5.e")[0].slice(0, first_member, first_member + batch).contiguous();
  model->advance({parse_time("2020-01-01T06"),
                  0,
                  history,
                  {noise.const_data_ptr<float>(), static_cast<std::size_t>(noise.numel())}});
  return history;
}

TEST(MosaicModelGolden, BitsOfAMemberDoNotDependOnItsBatch) {
  GOLDEN_OR_SKIP(folder, "model/tiny");
  const TinyRollout tiny(folder, "era5");
  for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
    const auto both = one_step(tiny, 2, 0, precision), second = one_step(tiny, 1, 1, precision);
    const std::size_t window = second.size();
    EXPECT_EQ(std::memcmp(both.data() + window, second.data(), window * sizeof(float)), 0);
    EXPECT_NE(std::memcmp(both.data(), second.data(), window * sizeof(float)), 0);
  }
}

TEST(MosaicModelGolden, PrecisionIsPartOfTheModel) {
  GOLDEN_OR_SKIP(folder, "model/tiny");
  const TinyRollout tiny(folder, "era5");
  MosaicModelOptions options = tiny.options;
  const ModelInfo single = make_mosaic_model(options)->info();
  options.precision = Precision::bfloat16;
  const ModelInfo rounded = make_mosaic_model(options)->info();
  EXPECT_NE(single.identity, rounded.identity);
  EXPECT_NE(single.description.find("float32"), std::string::npos) << single.description;
  EXPECT_NE(rounded.description.find("bfloat16"), std::string::npos) << rounded.description;
}

/// A bit of a weight flips in memory between two initial times.
TEST(MosaicModelGolden, AFlippedBitInMemoryIsFoundBeforeTheNextInitialTime) {
  GOLDEN_OR_SKIP(folder, "model/tiny");
  const TinyRollout tiny(folder, "era5");
  for (const auto& [when, precision] : {std::pair{VerifyWeights::load, Precision::float32},
                                        std::pair{VerifyWeights::each_initial_time, Precision::float32},
                                        std::pair{VerifyWeights::each_initial_time, Precision::bfloat16}}) {
    MosaicModelOptions options = tiny.options;
    options.batch = 1;
    options.precision = precision;
    options.verify_weights = when;
    std::span<std::byte> weights;
    options.lend_weights = [&](std::span<std::byte> lent) { weights = lent; };
    const auto model = make_mosaic_model(options);
    ASSERT_FALSE(weights.empty());
    std::vector<float> history = initial_history(entry(*tiny.rollout, "era5.history"), 1);
    const at::Tensor noise = entry(*tiny.rollout, "era5.e")[0][0].contiguous();
    const auto step = [&](const char* time, int number) {
      model->advance({parse_time(time),
                      number,
                      history,
                      {noise.const_data_ptr<float>(), static_cast<std::size_t>(noise.numel())}});
    };
    step("2020-01-01", 0);
    weights[weights.size() - sizeof(float)] ^=
        std::byte{1};  // the mantissa's last bit: no range check sees it
    EXPECT_NO_THROW(step("2020-01-01", 1));
    if (when == VerifyWeights::load) {
      EXPECT_NO_THROW(step("2020-01-02", 0));  // the twin: nobody looks
      continue;
    }
    std::string message;
    EXPECT_EQ(code_of([&] { step("2020-01-02", 0); }, &message), ExitCode::internal);
    EXPECT_NE(message.find("changed in memory"), std::string::npos) << message;
    EXPECT_NE(message.find("model."), std::string::npos) << message;
  }
}

/// A weight flips in a converted file.
TEST(MosaicModelGolden, AFlippedBitInTheFileIsFoundAtLoad) {
  GOLDEN_OR_SKIP(folder, "model/tiny");
  const TinyRollout tiny(folder, "era5");
  MosaicModelOptions options = tiny.options;
  options.weights = (tiny.scratch / "converted.safetensors").string();
  convert_to_safetensors(tiny.options.weights, options.weights, {});
  EXPECT_NO_THROW(make_mosaic_model(options));
  std::string bytes = read_text(options.weights);
  bytes[bytes.size() - 100] = static_cast<char>(bytes[bytes.size() - 100] ^ 1);
  write_text_atomically(options.weights, bytes);
  std::string message;
  EXPECT_EQ(code_of([&] { make_mosaic_model(options); }, &message), ExitCode::corrupt_input);
  EXPECT_NE(message.find(options.weights), std::string::npos) << message;
}

TEST(MosaicModelGolden, MissingAndUnknownParametersAreNamed) {
  GOLDEN_OR_SKIP(folder, "model/tiny");
  const TinyRollout tiny(folder, "era5");
  Parameters tensors = formula_parameters(tiny.which.network, "other");
  tensors["model.surprise.weight"] = tensors["model.preprocess.0.weight"];
  tensors.erase("model.postprocess.3.weight");
  tiny.write("weights.safetensors", tensors);
  try {
    make_mosaic_model(tiny.options);
    FAIL() << "a wrong checkpoint was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::corrupt_input);
    EXPECT_NE(std::string(error.what()).find("missing model.postprocess.3.weight"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("unknown model.surprise.weight"), std::string::npos);
  }
}

TEST(MosaicModelGolden, PublishedCheckpointGivesTheFormulaWeights) {
  GOLDEN_OR_SKIP(folder, "model/tiny");
  GOLDEN_OR_SKIP(checkpoint, "model/tiny_checkpoint.pt");
  const GoldenCase which = read_case(folder / "config.json");
  const auto file = open_tensor_file(checkpoint.string());
  for (const auto& [name, tensor] : parameters_from(which.network, *file)) {
    EXPECT_TRUE(tensor.equal(formula_parameters(which.network, which.key).at(name))) << name;
  }
}

TEST(NetworkConfig, PublishedParameterCounts) {
  EXPECT_EQ(parameter_count(published_network("era5")), 214184448);
  EXPECT_EQ(parameter_count(published_network("hres")), 214184448 + 125952);
}

}  // namespace
}  // namespace mosaic::test

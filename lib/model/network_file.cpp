#include "model/network_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"

namespace mosaic {

namespace {

constexpr std::array<std::pair<const char*, AttentionKind>, 4> attention_names = {
    {{"mosaic", AttentionKind::mosaic},
     {"local-only", AttentionKind::local_only},
     {"no-compressed", AttentionKind::no_compressed},
     {"dense", AttentionKind::dense}}};
constexpr std::array<std::pair<const char*, NoiseKind>, 2> noise_names = {
    {{"per-step", NoiseKind::per_step}, {"none", NoiseKind::none}}};

template <class Names>
std::vector<std::string> texts_of(const Names& names) {
  std::vector<std::string> texts;
  for (const auto& [text, kind] : names) {
    texts.emplace_back(text);
  }
  return texts;
}

template <class Names, class Kind>
std::string text_of(const Names& names, Kind kind) {
  return std::find_if(names.begin(), names.end(), [&](const auto& name) { return name.second == kind; })
      ->first;
}

/// `text` is one of the names: the schema has checked it.
template <class Names>
auto kind_of(const Names& names, const std::string& text) {
  return std::find_if(names.begin(), names.end(), [&](const auto& name) { return text == name.first; })
      ->second;
}

/// A description as the keys of a network file hold it: one list per property, finest stage first.
struct NetworkKeys {
  explicit NetworkKeys(const NetworkDescription& description)
      : network(description.network),
        step(description.step),
        attention(text_of(attention_names, network.attention)),
        noise(text_of(noise_names, network.noise)) {
    if (description.channels != mosaic_channels()) {
      std::transform(description.channels.begin(), description.channels.end(), std::back_inserter(channels),
                     [](const Channel& channel) { return channel.name(); });
    }
    for (std::size_t i = 0; i < stage_members.size(); ++i) {
      for (const StageConfig& stage : network.stages) {
        stages[i].push_back(stage.*stage_members[i].second);
      }
    }
  }

  void declare(ConfigSchema& schema) {
    schema.key("channels", &channels, "Channels of a state, in order; empty = the published 82");
    schema.key("step", &step, "Model step, and spacing of the history states").range(1, 1e9);
    schema.key("history", &network.history, "States that a step sees").range(1, 100);
    schema.key("neighbours", &network.neighbours, "Nearest points of each interpolation").range(1, 1000);
    schema.key("head_width", &network.head_width, "Width of an attention head").range(4, 1024);
    schema.key("group", &network.group, "Query heads that share one key/value head").range(1, 1024);
    schema.key("mlp_ratio", &network.mlp_ratio, "Hidden width of a feed-forward, in widths").range(1, 64);
    schema.key("noise_width", &network.noise_width, "Draws per member and step").range(1, 4096);
    schema.key("noise", &noise, "Noise in the gates; none makes one deterministic forecast")
        .choices(texts_of(noise_names));
    schema.key("attention", &attention, "Branches of the attention").choices(texts_of(attention_names));
    schema.key("sparse_every", &network.sparse_every,
               "Blocks of a stage whose number is no multiple are local only; 0 = all are");
    for (std::size_t i = 0; i < stage_members.size(); ++i) {
      schema.key(fmt::format("stages.{}", stage_members[i].first), &stages[i], stage_explanations[i]);
      if (stage_members[i].second != &StageConfig::decoder_depth) {
        schema.key(fmt::format("bottleneck.{}", stage_members[i].first),
                   &(network.bottleneck.*stage_members[i].second), stage_explanations[i]);
      }
    }
  }

  NetworkDescription description() const {
    NetworkDescription result{network, {}, step};
    result.network.attention = kind_of(attention_names, attention);
    result.network.noise = kind_of(noise_names, noise);
    result.channels = mosaic_channels();
    if (!channels.empty()) {
      result.channels.clear();
      std::transform(channels.begin(), channels.end(), std::back_inserter(result.channels), parse_channel);
    }
    result.network.channels = static_cast<int>(result.channels.size());
    result.network.stages.assign(stages[0].size(), {});
    for (std::size_t i = 0; i < stage_members.size(); ++i) {
      require(stages[i].size() == stages[0].size(), ExitCode::bad_configuration,
              "stages.{} has {} values, stages.{} has {}: one per stage", stage_members[i].first,
              stages[i].size(), stage_members[0].first, stages[0].size());
      for (std::size_t s = 0; s < stages[i].size(); ++s) {
        result.network.stages[s].*stage_members[i].second = stages[i][s];
      }
    }
    return result;
  }

  static constexpr std::array<std::pair<const char*, int StageConfig::*>, 8> stage_members = {
      {{"nside", &StageConfig::nside},
       {"width", &StageConfig::width},
       {"heads", &StageConfig::heads},
       {"local_block", &StageConfig::block_attn_size},
       {"sparse_block", &StageConfig::sparse_block_size},
       {"selected_blocks", &StageConfig::selected_blocks},
       {"encoder_depth", &StageConfig::encoder_depth},
       {"decoder_depth", &StageConfig::decoder_depth}}};
  static constexpr std::array<const char*, 8> stage_explanations = {
      "HEALPix resolution, a power of two; each level has half the one above",
      "Channels of the residual stream",
      "Query heads; width = heads x head_width",
      "Tokens of a run of the local branch",
      "Tokens of a sparse block",
      "Sparse blocks that each query block selects; 0 = no selected branch",
      "Blocks on the way down",
      "Blocks on the way up"};

  NetworkConfig network;
  std::vector<std::string> channels;
  Duration step;
  std::string attention, noise;
  std::array<std::vector<int>, 8> stages;
};

}  // namespace

NetworkDescription published_description(const std::string& preset) {
  NetworkDescription description;
  description.network = published_network(preset);
  description.step = Duration::hours(preset == "hres" ? 6 : 24);
  return description;
}

NetworkDescription parse_network_file(const std::string& yaml, const std::string& source_name) {
  NetworkKeys keys(published_description("era5"));
  ConfigSchema schema;
  keys.declare(schema);
  schema.read(yaml, source_name);
  schema.check();
  try {
    NetworkDescription description = keys.description();
    check_network(description.network);
    return description;
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", source_name, error.what());
  }
}

std::string print_network_file(const NetworkDescription& description) {
  NetworkKeys keys(description);
  ConfigSchema schema;
  keys.declare(schema);
  return schema.print();
}

std::string network_file_reference() {
  NetworkKeys keys(published_description("era5"));
  ConfigSchema schema;
  keys.declare(schema);
  return schema.reference();
}

}  // namespace mosaic

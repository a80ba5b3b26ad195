#include "model/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/error.hpp"

namespace mosaic {

namespace {

constexpr const char* description_key = "mosaic.network";

bool is_buffer(const std::string& name) {
  if (name == "model.static_vars" || name.ends_with(".neighbors") || name.ends_with(".rel_pos")) {
    return true;
  }
  return name.ends_with("_rope.cos_freqs") || name.ends_with("_rope.sin_freqs");
}

std::string listed(const std::vector<std::string>& problems) {
  constexpr std::size_t shown = 20;
  const auto end = problems.begin() + static_cast<std::ptrdiff_t>(std::min(shown, problems.size()));
  std::string text = fmt::format("{}", fmt::join(problems.begin(), end, "; "));
  return problems.size() > shown ? text + fmt::format("; and {} more", problems.size() - shown) : text;
}

/// The table `entry` of a neighbour file, checked against the network's mesh.
TensorSource neighbour_table(const TensorFile& file, const std::string& entry, const NetworkConfig& config) {
  const TensorView& table = file.at(entry);
  const std::int64_t nside = config.stages.front().nside;
  const bool fits = table.shape.size() == 2 && table.shape[1] == config.neighbours &&
                    (entry != "to_hp" || table.shape[0] == 12 * nside * nside);
  require(fits, ExitCode::corrupt_input, "{}: {} is ({}), which does not fit nside {} with {} neighbours",
          file.path(), entry, fmt::join(table.shape, ", "), nside, config.neighbours);
  return {table.type, table.shape, table.bytes};
}

}  // namespace

void check_parameters(const NetworkConfig& config, const TensorFile& checkpoint) {
  const auto shapes = parameter_shapes(config);
  std::vector<std::string> problems;
  for (const auto& [name, shape] : shapes) {
    if (!checkpoint.has(name)) {
      problems.push_back("missing " + name);
    } else if (const TensorView& view = checkpoint.at(name); view.shape != shape) {
      problems.push_back(fmt::format("{} is ({}), the configuration needs ({})", name,
                                     fmt::join(view.shape, ", "), fmt::join(shape, ", ")));
    }
  }
  for (const auto& [name, view] : checkpoint.tensors()) {
    if (!shapes.contains(name) && !is_buffer(name)) {
      problems.push_back("unknown " + name);
    }
  }
  require(problems.empty(), ExitCode::corrupt_input,
          "{}: does not hold the configured network: {}. Check model.preset and model.network",
          checkpoint.path(), listed(problems));
}

std::optional<NetworkDescription> stored_description(const TensorFile& checkpoint) {
  const auto stored = checkpoint.metadata().find(description_key);
  if (stored == checkpoint.metadata().end()) {
    return std::nullopt;
  }
  try {
    return parse_network_file(stored->second, checkpoint.path() + ", metadata " + description_key);
  } catch (const Error& error) {
    fail(ExitCode::corrupt_input, "{}", error.what());
  }
}

void check_stored_description(const TensorFile& checkpoint, const NetworkDescription& expected) {
  const auto stored = stored_description(checkpoint);
  if (!stored) {
    return;
  }
  const std::string theirs = print_network_file(*stored);
  const std::string ours = print_network_file(expected);
  require(theirs == ours, ExitCode::bad_configuration,
          "{}: holds another network than the configured one; model.network: weights takes the one it holds. "
          "It holds\n{}configured is\n{}",
          checkpoint.path(), theirs, ours);
}

Conversion convert_checkpoint(const std::string& from, const std::string& to,
                              const NetworkDescription& description, const std::string& neighbours,
                              const std::map<std::string, std::string>& metadata) {
  const auto checkpoint = open_tensor_file(from);
  check_parameters(description.network, *checkpoint);
  check_stored_description(*checkpoint, description);
  require(!metadata.contains(description_key), ExitCode::usage,
          "metadata {}: is set by the conversion; choose another key", description_key);
  auto all_metadata = metadata;
  all_metadata[description_key] = print_network_file(description);
  const auto tables = neighbours.empty() ? nullptr : open_tensor_file(neighbours);
  std::map<std::string, TensorSource> more;
  for (const auto& [entry, part] : {std::pair{"to_hp", "model.interp_to_hp.neighbors"},
                                    std::pair{"to_ll", "model.interp_to_ll.neighbors"}}) {
    if (tables != nullptr && !checkpoint->has(part)) {
      more[part] = neighbour_table(*tables, entry, description.network);
    }
  }
  return convert_to_safetensors(from, to, all_metadata, more);
}

}  // namespace mosaic

#include "fake_hindcast/hash_fields.hpp"

#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "forecast/hindcast_config.hpp"

namespace mosaic::test {

namespace {

constexpr int longitudes = 24;
constexpr int latitudes = 13;

std::uint64_t hash_of(const Channel& channel) {
  std::uint64_t bits = static_cast<std::uint64_t>(channel.level.value_or(-1));
  for (const char letter : channel.variable) {
    bits = mixed(bits, static_cast<std::uint64_t>(letter));
  }
  return bits;
}

}  // namespace

std::uint64_t mixed(std::uint64_t bits, std::uint64_t more) {
  std::uint64_t z = (bits ^ (more * 0x9e3779b97f4a7c15U)) + 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

double uniform(std::uint64_t bits) { return std::ldexp(static_cast<double>(bits >> 11), -52) - 1.0; }

HashClimate climate_of(const Channel& channel) {
  const VariableInfo* variable = find_variable(channel.variable);
  require(variable != nullptr, "no climate for {}", channel.name());
  if (channel.variable == "geopotential") {
    constexpr double scale = 9.80665 * 7400.0;  // [m2 s-2] of one e-folding of pressure
    return {scale * std::log(1013.0 / channel.level.value_or(1000)), 1000.0};
  }
  return {0.5 * (variable->lower + variable->upper), 0.1 * (variable->upper - variable->lower)};
}

std::vector<float> hash_field(const Channel& channel, Time time) {
  const HashClimate climate = climate_of(channel);
  const std::uint64_t key = mixed(hash_of(channel), static_cast<std::uint64_t>(time.seconds));
  std::vector<float> field(static_cast<std::size_t>(longitudes) * latitudes);
  for (std::size_t point = 0; point < field.size(); ++point) {
    field[point] = static_cast<float>(climate.mean + climate.reach * uniform(mixed(key, point)));
  }
  return field;
}

std::shared_ptr<const LatLonGrid> hash_grid() {
  static const auto grid = std::make_shared<const LatLonGrid>(LatLonGrid::with_poles(longitudes, latitudes));
  return grid;
}

std::shared_ptr<const ChannelSet> hash_channels() {
  ChannelSet channels;
  for (const std::string& name : HindcastConfig{}.score.channels) {
    channels.push_back(parse_channel(name));
  }
  return std::make_shared<const ChannelSet>(channels);
}

HashFields::HashFields(std::vector<Time> times) : FieldStore("hash") {
  grid_ = hash_grid();
  times_ = std::move(times);
  identity_ = "hash of variable, level, time and place";
}

bool HashFields::has(const Channel& channel) const {
  return find_variable(channel.variable) != nullptr && channel.variable != "geopotential_at_surface";
}

State HashFields::read(Time time, const std::shared_ptr<const ChannelSet>& channels) {
  require(has_time(time), ExitCode::missing_input, "{}: no state at {}", path(), to_string(time));
  State state{time, grid_, channels, {}};
  for (const Channel& channel : *channels) {
    const std::vector<float> field = hash_field(channel, time);
    state.values.insert(state.values.end(), field.begin(), field.end());
  }
  return state;
}

std::vector<float> HashFields::read_static(const std::string& variable) {
  fail(ExitCode::missing_input, "{}: no static field {}", path(), variable);
}

}  // namespace mosaic::test

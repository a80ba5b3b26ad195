#include "stores/regrid.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/error.hpp"
#include "fields/same_levels.hpp"
#include "grid/conservative_regridding.hpp"
#include "stores/zarr_writer.hpp"

namespace mosaic {
namespace {

/// 1 ... 100 000; nothing for anything else.
std::optional<int> parse_count(std::string_view text) {
  int value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = problem == std::errc{} && end == text.data() + text.size() && value >= 1;
  return good && value <= 100'000 ? std::optional(value) : std::nullopt;
}

bool is_known(const std::string& variable, Regridded& plan) {
  const VariableInfo* info = find_variable(variable);
  const bool known = info != nullptr && info->name == variable;
  if (!known) {
    const std::string entry = variable + " (not in the table of variables)";
    if (plan.left_out.empty() || plan.left_out.back() != entry) {
      plan.left_out.push_back(entry);
    }
  }
  return known;
}

Regridded plan_for(const FieldStore& store) {
  Regridded plan;
  const StoreContents contents = store.contents();
  plan.left_out = contents.others;
  plan.times = store.times().size();
  std::copy_if(contents.channels.begin(), contents.channels.end(), std::back_inserter(plan.channels),
               [&](const Channel& channel) { return is_known(channel.variable, plan); });
  std::copy_if(contents.statics.begin(), contents.statics.end(), std::back_inserter(plan.statics),
               [&](const std::string& name) { return is_known(name, plan); });
  return plan;
}

}  // namespace

LatLonGrid parse_grid(std::string_view text) {
  const std::size_t cross = std::min(text.find('x'), text.size());
  const auto longitudes = parse_count(text.substr(0, cross));
  const auto latitudes = parse_count(text.substr(std::min(cross + 1, text.size())));
  require(longitudes && latitudes && *latitudes >= 2, ExitCode::bad_configuration,
          "'{}' is no grid; write LONGITUDESxLATITUDES, for example 240x121 (odd: with poles) or 64x32",
          text);
  return *latitudes % 2 == 1 ? LatLonGrid::with_poles(*longitudes, *latitudes)
                             : LatLonGrid::without_poles(*longitudes, *latitudes);
}

Regridded regrid_store(const std::string& input, const std::string& output, const LatLonGrid& grid,
                       const FieldStoreOptions& options) {
  const auto store = open_field_store(input, options);
  Regridded plan = plan_for(*store);
  require(plan.times > 0, ExitCode::corrupt_input, "{}: has no times; a store in this layout needs one",
          input);
  require(!plan.channels.empty() || !plan.statics.empty(), ExitCode::corrupt_input,
          "{}: holds nothing to regrid; left out: {}", input, fmt::join(plan.left_out, ", "));
  require_same_levels(plan.channels, ExitCode::corrupt_input, input,
                      "variables of one store must have the same");

  const ConservativeRegridding regridding(store->grid(), grid);
  const auto target = std::make_shared<const LatLonGrid>(grid);
  const auto channels = std::make_shared<const ChannelSet>(plan.channels);
  ZarrWriterOptions writer_options;
  writer_options.attributes = {
      {"source", std::filesystem::path(input).filename().string()},
      {"regridding", fmt::format("first-order conservative, {}x{} to {}x{} longitudes x latitudes",
                                 store->grid().longitude.size(), store->grid().latitude.size(),
                                 grid.longitude.size(), grid.latitude.size())}};
  ZarrWriter writer(output, target, channels, store->times(), writer_options);
  for (const std::string& name : plan.statics) {
    writer.write_static(name, regridding.apply(store->read_static(name), options.threads));
  }
  for (const Time time : channels->empty() ? std::vector<Time>{} : store->times()) {
    const State state = store->read(time, channels);
    writer.write({time, target, channels, regridding.apply(state.values, options.threads)});
  }
  writer.close();
  return plan;
}

}  // namespace mosaic

#include "model/network/host_network.hpp"

#include <algorithm>
#include <utility>

#include "model/network/loading.hpp"

namespace mosaic {

namespace {

HostNetwork::Interpolation interpolation_of(const InterpolationTable& table) {
  const std::int64_t* first = table.neighbours.const_data_ptr<std::int64_t>();
  HostNetwork::Interpolation result;
  result.neighbours.assign(first, first + table.neighbours.numel());
  result.rel_pos = values_of(table.rel_pos);
  return result;
}

std::vector<std::vector<float>> lists_of(const std::vector<at::Tensor>& tensors) {
  std::vector<std::vector<float>> values;
  std::transform(tensors.begin(), tensors.end(), std::back_inserter(values), values_of);
  return values;
}

}  // namespace

HostNetwork host_network(const NetworkTables& tables,
                         std::function<HostParameter(const std::string& name)> parameter) {
  HostNetwork host;
  host.parameter = std::move(parameter);
  host.to_hp = interpolation_of(tables.to_hp);
  host.to_ll = interpolation_of(tables.to_ll);
  host.static_columns = values_of(tables.static_columns);
  host.cosine = lists_of(tables.cosine);
  host.sine = lists_of(tables.sine);
  host.child_offsets = lists_of(tables.child_offsets);
  return host;
}

}  // namespace mosaic

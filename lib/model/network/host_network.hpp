#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/device/device_weights.hpp"
#include "model/network/network.hpp"

namespace mosaic {

/// A network as a device takes it: these tables, and parameters from `parameter`.
HostNetwork host_network(const NetworkTables& tables,
                         std::function<HostParameter(const std::string& name)> parameter);

}  // namespace mosaic

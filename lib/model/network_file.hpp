#pragma once

#include <string>

#include "base/config.hpp"
#include "base/time.hpp"
#include "fields/channel.hpp"
#include "model/network_config.hpp"

namespace mosaic {

/// A network together with the states it was made for: what a network file says.
struct NetworkDescription {
  NetworkConfig network;
  ChannelSet channels = mosaic_channels();  ///< of a state, in order; network.channels of them
  Duration step = Duration::hours(24);      ///< model step, and spacing of the history states
};

/// `era5` (24 h) or `hres` (6 h) at the published size. Errors: bad_configuration.
NetworkDescription published_description(const std::string& preset);

/// Reads the YAML of a network file; a key that is absent has its value of the published `era5` network.
/// Errors: bad_configuration with every problem, naming `source_name`.
NetworkDescription parse_network_file(const std::string& yaml, const std::string& source_name);

/// The complete network file: parse_network_file() gives the same description again.
std::string print_network_file(const NetworkDescription& description);

/// Every key of a network file with its explanation and its value in `description`.
std::string network_file_reference();

}  // namespace mosaic

#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "model/network/network.hpp"

namespace mosaic {

/// Remembers what the parameters and tables of a network hold, to find bits that change in memory while a
/// program runs for days.
class ResidentCheck {
 public:
  explicit ResidentCheck(const Network& network);

  /// Errors: internal naming every tensor that is not as it was.
  void verify(const Network& network) const;

 private:
  std::map<std::string, std::uint64_t> fingerprints_;  // by name
};

}  // namespace mosaic

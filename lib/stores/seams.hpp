#pragma once

#include <string>
#include <vector>

#include "base/time.hpp"

namespace mosaic {

/// Times at which the states of a store have nothing to do with those before, ascending: the attribute
/// `seams` of a Zarr group, as mosaic_data simulate writes it for several realizations. Empty for everything
/// else. Errors: corrupt_input for an attribute that is no list of times.
std::vector<Time> seams_of(const std::string& path);

/// Whether one lies after `from` and not after `to`.
bool crosses_seam(const std::vector<Time>& seams, Time from, Time to);

}  // namespace mosaic

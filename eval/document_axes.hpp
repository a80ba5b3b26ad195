#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic::eval {

/// A coordinate variable over its own dimension, which is added to the document.
void add_axis(NetcdfDocument& document, const std::string& name, NetcdfValues values,
              NetcdfAttributes attributes = {});

/// lead_time as integers in hours (seconds if they are not whole hours), in the form that every xarray
/// decodes to timedelta64.
void add_lead_times(NetcdfDocument& document, const std::vector<Duration>& leads);

/// rank_kind and rank of kernels::RankCount.
void add_rank_axes(NetcdfDocument& document, int members);

/// degree: 0 ... degrees - 1.
void add_degree_axis(NetcdfDocument& document, std::size_t degrees);

/// The reverse of add_lead_times(). Errors: corrupt_input.
std::vector<Duration> read_lead_times(const NetcdfDocument& document);

/// Values of a variable in their stored type. Errors: corrupt_input naming the variable.
template <class T>
const std::vector<T>& values_of(const NetcdfDocument& document, const std::string& name);

}  // namespace mosaic::eval

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval/init_time_sums.hpp"
#include "eval/time_mean.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic::eval {

// What the documents of results have in common: one variable for all levels, NaN where a level is missing.

/// Place of a level in the level axis and its length; 0 of 1 without a level.
std::pair<std::size_t, std::size_t> level_place(const std::optional<int>& level,
                                                const std::vector<int>& levels);

/// The values of a variable, which is added with NaN when it comes for the first time. `outer` are the
/// dimensions before level, `inner` those after it.
std::vector<double>& variable_of(NetcdfDocument& document, const std::string& name, bool has_level,
                                 const std::vector<std::string>& outer, const std::vector<std::string>& inner,
                                 const NetcdfAttributes& attributes);

/// Number of initial times by lead; grid, members, treatment of missing values and time mean as attributes.
void add_provenance(NetcdfDocument& document, const TimeMean& total, const ScoreOptions& options);

}  // namespace mosaic::eval

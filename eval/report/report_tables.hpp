#pragma once

#include <string>
#include <vector>

#include "eval/report/report.hpp"
#include "eval/report/table.hpp"

namespace mosaic::eval {

/// Headline scores, differences to the reference, spread against skill, published scores and spectral
/// fidelity, each with what it was made of: grid, weights, estimators, members, initial times, period. With
/// more than 12 lead times those of whole days 1 ... 10, 12 and 15 where there are such; the numbers of all
/// are in report_json().
std::vector<Table> report_tables(const Report& report);

/// A report as text for a terminal, and as Markdown.
std::string report_terminal(const Report& report);
std::string report_markdown(const Report& report);

/// Tidy numbers: {"region", "confidence", "samples", "seed", "remarks": [...], "runs": [{label, folder, grid,
/// members, ...}], "scores": [{run, channel, unit, lead_time_h, metric, value, lower, upper, initial_times,
/// block_length, difference: {reference, value, lower, upper, excludes_zero, ...}}], "published": [...]}.
/// What is not defined is null.
std::string report_json(const Report& report);

/// "0.01235 [0.01201, 0.01269]"; a dash for NaN, without brackets where there is no interval.
std::string text_of(const Interval& interval);

/// "72 h", whatever the length, so that a column of them reads well.
std::string lead_text(Duration lead);

/// Levels after the name in words and the unit: "geopotential 500 hPa [m2 s-2]".
std::string title_of(const Channel& channel);

}  // namespace mosaic::eval

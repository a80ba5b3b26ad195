#pragma once

#include <string>
#include <vector>

#include "eval/report/run_results.hpp"
#include "eval/report/table.hpp"

namespace mosaic::eval {

// What the tables of a report have in common.

/// Stands where a number is not defined.
inline constexpr const char* no_number = "–";

/// Four digits, or no_number.
std::string number_text(double value);

/// The leads that tables show of these: all up to 12, else those of whole days 1 ... 10, 12 and 15.
std::vector<Duration> table_leads(const std::vector<Duration>& all);

/// Says in a note if table_leads() are not all.
void add_lead_note(Table& table, const std::vector<Duration>& leads);

/// Grid, members, initial times, period, truth and averages of a run in one line.
std::string run_note(const RunResults& run);

/// Effective resolution, log-spectral distance, ratios to the truth at some degrees, damping of the ensemble
/// mean and pile-up next to the grid scale, of a run with spectra by degree.
Table spectral_table(const RunResults& run);

}  // namespace mosaic::eval

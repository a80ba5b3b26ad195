#pragma once

#include <string>
#include <vector>

#include "eval/init_time_sums.hpp"
#include "eval/time_mean.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic::eval {

/// Scores in WeatherBench 2's result layout: <variable>(metric, region, lead_time, level), without level for
/// surface variables; cells that do not exist are NaN; metric is alphabetical; roots and ratios after the
/// mean.
NetcdfDocument metrics_document(const TimeMean& total, const ScoreOptions& options);

/// Mean spectra: <variable>(kind, lead_time, level, latitude_band, zonal_wavenumber), without level at 10 m;
/// and <variable>_by_degree(kind, lead_time, level, degree).
NetcdfDocument spectra_document(const TimeMean& total, const ScoreOptions& options);

/// Rank histograms: <variable>(rank_kind, lead_time, level, rank), counts of points of the whole grid.
NetcdfDocument ranks_document(const TimeMean& total, const ScoreOptions& options);

/// Scores at climatological quantiles: <variable>(metric, region, lead_time, level, quantile), Brier scores,
/// ignorance and the terms of the rps; <variable>_reliability(reliability_kind, lead_time, level, quantile,
/// probability), area weights summed over the initial times. For options with thresholds.
NetcdfDocument thresholds_document(const TimeMean& total, const ScoreOptions& options);

/// The scores of metrics_document() by season of the valid time: <variable>(season, metric, region,
/// lead_time, level), seasons DJF, MAM, JJA, SON; NaN for a season without an initial time. Errors: those of
/// time_mean().
NetcdfDocument seasons_document(const std::vector<InitTimeSums>& sums, const ScoreOptions& options);

/// Headline scores (rmse of the ensemble mean, bias, crps, spread-skill ratio) per channel and lead in the
/// first region, as text for the terminal.
std::string score_table(const TimeMean& total);

}  // namespace mosaic::eval

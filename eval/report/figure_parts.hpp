#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "eval/report/figures.hpp"
#include "eval/report/plot_panels.hpp"

namespace mosaic::eval {

// What the figures of a report have in common.

/// Colour of a curve; runs come first, published models behind them. Told apart with every kind of colour
/// vision (Okabe and Ito).
const std::string& curve_colour(std::size_t i);

/// The runs in their colours, unfinished ones and the reference named so.
std::vector<LegendEntry> run_legend(const Report& report);

/// Those entries whose colour is in any of the panels.
std::vector<LegendEntry> used_entries(const std::vector<LegendEntry>& all, const std::vector<Panel>& panels);

/// title_of() without the unit.
std::string words_of(const Channel& channel);

/// First and last of the leads that all runs have; of all leads if they have none in common.
std::vector<Duration> outer_leads(const Report& report);

/// A figure per quantity of which any run has spectra by degree: power and ratios at the outer leads.
std::vector<Figure> spectrum_figures(const Report& report);

/// Maps of bias, RMSE and CRPS at the first and last lead of each run that has maps.nc, a figure per channel.
/// Errors: as read_maps() and svg_of().
std::vector<Figure> map_figures(const Report& report);

}  // namespace mosaic::eval

#pragma once

#include <string>
#include <vector>

#include "eval/report/report.hpp"

namespace mosaic::eval {

struct LegendEntry {
  std::string label;
  std::string colour;
  bool dashed = false;
};

struct Figure {
  std::string title;
  std::vector<LegendEntry> legend;
  std::string caption;
  std::string svg;  ///< element to stand inside a page
};

/// Scores against lead with bands of the intervals for every channel, spread-skill by lead, rank histograms,
/// spectra by degree with their ratios, maps of the runs that have them; runs and published scores as lines,
/// approximate ones as markers. Errors: as svg_of() and read_maps().
std::vector<Figure> report_figures(const Report& report);

}  // namespace mosaic::eval

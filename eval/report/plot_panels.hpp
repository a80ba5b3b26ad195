#pragma once

#include <string>
#include <vector>

namespace mosaic::eval {

enum class CurveStyle {
  line,    ///< with dots, so that single values are seen
  smooth,  ///< line without dots
  broad,   ///< the same, seen behind others
  dashed,
  steps,   ///< a histogram's outline: x are the middles of its bins
  marker,  ///< crosses without a line
};

/// A curve of a panel and the band around it.
struct Curve {
  std::string colour;  ///< "#0072b2"
  CurveStyle style = CurveStyle::line;
  std::vector<double> x = {}, y = {};
  std::vector<double> lower = {}, upper = {};  ///< both empty: no band
};

/// One diagram. Settings are gnuplot commands (axes, upright marks).
struct Panel {
  std::string title, x_label, y_label;
  std::vector<std::string> settings;  ///< must leave something in sight: gnuplot fails otherwise
  std::vector<Curve> curves;
  std::vector<double> levels = {};  ///< y of grey lines across the panel
};

/// gnuplot script of all panels, row by row.
std::string panels_script(const std::vector<Panel>& panels, int columns);

/// The picture of panels of this size [pixels]; see svg_of().
std::string panels_svg(const std::vector<Panel>& panels, int columns, int width, int height,
                       const std::string& prefix);

/// Text in single quotes for gnuplot, which interprets nothing in it.
std::string gnuplot_text(const std::string& text);

}  // namespace mosaic::eval

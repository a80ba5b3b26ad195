#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.hpp"
#include "eval/quantile.hpp"
#include "eval/report/figure_parts.hpp"
#include "eval/report/gnuplot.hpp"
#include "eval/report/report_tables.hpp"
#include "eval/report/run_maps.hpp"

namespace mosaic::eval {
namespace {

// A map is a picture of at most this many pixels, a run has at most this many figures: pages stay below a few
// MB whatever the grid.
constexpr std::size_t most_columns = 120, most_rows = 60, most_channels = 6;

enum class Colours { diverging, sequential };

/// A score that is drawn.
struct DrawnScore {
  const char* name;  ///< in maps.nc
  const char* title;
  Colours colours;
  bool root;  ///< of the mean over initial times and points of a pixel
};

constexpr std::array<DrawnScore, 3> drawn = {
    {{"bias", "bias", Colours::diverging, false},
     {"ensemble_mean_mse", "RMSE of ensemble mean", Colours::sequential, true},
     {"crps", "fair CRPS", Colours::sequential, false}}};

/// Blue, white, red; and light to dark through orange and purple, read in one direction with every kind of
/// colour vision.
const char* palette(Colours colours) {
  return colours == Colours::diverging
             ? "defined (-1 '#053061', -0.75 '#2166ac', -0.4 '#92c5de', 0 '#f7f7f7', 0.4 '#f4a582', "
               "0.75 '#b2182b', 1 '#67001f')"
             : "defined (0 '#fcfdbf', 0.2 '#feb078', 0.4 '#f1605d', 0.6 '#b73779', 0.8 '#721f81', 1 "
               "'#180f3d')";
}

/// The 99th percentile of the absolute values, so that single points do not take all colours; 0 if all are 0,
/// NaN if there are none.
double limit_of(const Raster& raster) {
  std::vector<double> sizes;
  for (const double value : raster.values) {
    if (std::isfinite(value)) {
      sizes.push_back(std::abs(value));
    }
  }
  if (sizes.empty()) {
    return std::nan("");
  }
  std::sort(sizes.begin(), sizes.end());
  const double limit = quantile(sizes, 0.99);
  return limit > 0.0 ? limit : sizes.back();
}

struct MapPanel {
  std::string title;
  Colours colours;
  Raster raster;
};

/// Nothing to see is no panel.
bool is_drawable(const MapPanel& panel) { return std::isfinite(limit_of(panel.raster)); }

std::string data_of(const Raster& raster, const std::string& name) {
  std::string data = name + " << EOD\n";
  for (std::size_t row = 0; row < raster.rows; ++row) {
    for (std::size_t column = 0; column < raster.columns; ++column) {
      const double value = raster.values[row * raster.columns + column];
      data += fmt::format("{:.7g} {:.7g} {}\n", raster.column_centre(column), raster.row_centre(row),
                          std::isfinite(value) ? fmt::format("{:.4g}", value) : "NaN");
    }
  }
  return data + "EOD\n";
}

// Pixels of a panel and of the map in it, twice as wide as high; the scale of colours is right of the map.
constexpr int panel_width = 386, panel_height = 205, map_left = 42, map_top = 27, map_height = 145;

/// Where a panel's map lies, in parts of the picture.
std::string margins(int panel, int columns, int rows) {
  const double width = columns * panel_width, height = rows * panel_height;
  const int left = panel % columns * panel_width + map_left;
  const int top = panel / columns * panel_height + map_top;
  return fmt::format(
      "set lmargin at screen {:.5f}\nset rmargin at screen {:.5f}\nset tmargin at screen {:.5f}\n"
      "set bmargin at screen {:.5f}\n",
      left / width, (left + 2 * map_height) / width, 1.0 - top / height, 1.0 - (top + map_height) / height);
}

std::string map_script(const std::vector<MapPanel>& panels, int columns, int rows) {
  std::string data;
  std::string script =
      "set multiplot\nset encoding utf8\nunset key\n"
      "set object 1 rectangle from graph 0,0 to graph 1,1 behind fc rgb '#c8c8c8' fs solid noborder\n"
      "set border lw 0.8 lc rgb '#444444' front\nset tics out nomirror scale 0.5 font ',9'\n"
      "set title font ',11' offset 0,-0.5\nset cbtics font ',9' offset -0.7,0\n"
      "set xtics ('0°' 0, '60°E' 60, '120°E' 120, '180°' 180, '120°W' 240, '60°W' 300, '0°' 360) offset "
      "0,0.4\nset ytics ('90°S' -90, '45°S' -45, '0°' 0, '45°N' 45, '90°N' 90) offset 0.5,0\n";
  for (std::size_t p = 0; p < panels.size(); ++p) {
    const MapPanel& panel = panels[p];
    const std::string name = fmt::format("$map{}", p);
    data += data_of(panel.raster, name);
    const double limit = limit_of(panel.raster) > 0.0 ? limit_of(panel.raster) : 1.0;
    script += margins(static_cast<int>(p), columns, rows);
    script += fmt::format("set palette {}\nset cbrange [{:.6g}:{:.6g}]\n", palette(panel.colours),
                          panel.colours == Colours::diverging ? -limit : 0.0, limit);
    script += fmt::format("set title {}\nset xrange [{:g}:{:g}]\nset yrange [{:g}:{:g}]\n",
                          gnuplot_text(panel.title), panel.raster.west, panel.raster.east, panel.raster.south,
                          panel.raster.north);
    script += fmt::format("plot {} using 1:2:3 with image\n", name);
  }
  return data + script + "unset multiplot\n";
}

Raster drawn_raster(const RunMaps& maps, std::size_t channel, std::size_t lead, const DrawnScore& score) {
  Raster raster = raster_of(maps.field(channel, lead, score.name), maps.latitude, maps.longitude,
                            most_columns, most_rows);
  for (double& value : raster.values) {
    value = score.root ? std::sqrt(value) : value;
  }
  return raster;
}

/// First and last lead.
std::vector<std::size_t> drawn_leads(const RunMaps& maps) {
  return maps.leads.size() > 1 ? std::vector<std::size_t>{0, maps.leads.size() - 1}
                               : std::vector<std::size_t>{0};
}

/// Those of the report that have maps, or, if the user named none and none has, all that do.
std::vector<std::size_t> drawn_channels(const Report& report, const RunMaps& maps) {
  std::vector<std::size_t> of_report, all;
  for (std::size_t c = 0; c < maps.channels.size(); ++c) {
    all.push_back(c);
    if (std::find(report.channels.begin(), report.channels.end(), maps.channels[c]) !=
        report.channels.end()) {
      of_report.push_back(c);
    }
  }
  return of_report.empty() && report.options.channels.empty() ? all : of_report;
}

Figure map_figure(const Report& report, const RunResults& run, const RunMaps& maps, std::size_t channel,
                  const std::string& prefix) {
  std::vector<MapPanel> panels;
  for (const std::size_t lead : drawn_leads(maps)) {
    for (const DrawnScore& score : drawn) {
      MapPanel panel{fmt::format("{}, {} [{}]", score.title, lead_text(maps.leads[lead]),
                                 unit_of(maps.channels[channel])),
                     score.colours, drawn_raster(maps, channel, lead, score)};
      if (is_drawable(panel)) {
        panels.push_back(std::move(panel));
      }
    }
  }
  Figure figure{"Maps of " + words_of(maps.channels[channel]), {}, "", ""};
  if (report.runs.size() > 1) {
    figure.title += " of " + run.label;
  }
  figure.caption =
      "Means over initial times; bias is forecast minus truth, RMSE the root of the mean squared error of "
      "the ensemble mean. Every map has its own colours, which end at the 99th percentile of its "
      "sizes; grey: no value.";
  if (maps.latitude.size() > most_rows || maps.longitude.size() > most_columns) {
    figure.caption += fmt::format(" Means over cells of about {:.2g} degrees; maps.nc has every point.",
                                  (maps.longitude.back() - maps.longitude.front()) / most_columns);
  }
  if (!panels.empty()) {
    constexpr int columns = static_cast<int>(drawn.size());
    const int rows = (static_cast<int>(panels.size()) + columns - 1) / columns;
    figure.svg =
        svg_of(fmt::format("size {},{} font 'DejaVu Sans,12' noenhanced rounded background rgb 'white'",
                           columns * panel_width, rows * panel_height),
               map_script(panels, columns, rows), prefix);
  }
  return figure;
}

}  // namespace

std::vector<Figure> map_figures(const Report& report) {
  std::vector<Figure> figures;
  for (const RunResults& run : report.runs) {
    const RunMaps maps = read_maps(run.folder);
    std::vector<std::size_t> channels = drawn_channels(report, maps);
    const std::size_t more = channels.size() - std::min(channels.size(), most_channels);
    channels.resize(channels.size() - more);
    for (const std::size_t channel : channels) {
      figures.push_back(map_figure(report, run, maps, channel, fmt::format("map{}-", figures.size())));
    }
    if (more > 0) {
      figures.back().caption +=
          fmt::format(" {} more channels of {} have maps: --channel chooses.", more, run.label);
    }
  }
  std::erase_if(figures, [](const Figure& figure) { return figure.svg.empty(); });
  return figures;
}

}  // namespace mosaic::eval

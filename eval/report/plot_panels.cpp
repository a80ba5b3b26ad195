#include "eval/report/plot_panels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "eval/report/gnuplot.hpp"

namespace mosaic::eval {
namespace {

std::string number(double value) { return std::isfinite(value) ? fmt::format("{:.9g}", value) : "NaN"; }

bool has_band(const Curve& curve) {
  return !curve.lower.empty() && std::any_of(curve.lower.begin(), curve.lower.end(),
                                             [](double value) { return std::isfinite(value); });
}

/// Columns x, y, lower, upper.
std::string data_block(const std::string& name, const Curve& curve) {
  std::string block = name + " << EOD\n";
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    block += number(curve.x[i]) + " " + number(curve.y[i]);
    if (!curve.lower.empty()) {
      block += " " + number(curve.lower[i]) + " " + number(curve.upper[i]);
    }
    block += "\n";
  }
  return block + "EOD\n";
}

std::string style_of(const Curve& curve) {
  const std::string colour = "lc rgb '" + curve.colour + "'";
  switch (curve.style) {
    case CurveStyle::line:
      return "with linespoints lw 1.8 pt 7 ps 0.35 " + colour;
    case CurveStyle::smooth:
      return "with lines lw 1.6 " + colour;
    case CurveStyle::broad:
      return "with lines lw 3.6 " + colour;
    case CurveStyle::dashed:
      return "with lines lw 1.6 dt (7,5) " + colour;
    case CurveStyle::steps:
      return "with histeps lw 1.6 " + colour;
    case CurveStyle::marker:
      return "with points pt 2 ps 0.7 lw 1.6 " + colour;
  }
  return "";
}

/// Levels and bands lie behind all curves. A band of a single value is a bar.
std::string plot_command(const Panel& panel, const std::string& prefix) {
  std::string bands, curves;
  for (std::size_t c = 0; c < panel.curves.size(); ++c) {
    const Curve& curve = panel.curves[c];
    const std::string data = fmt::format("{}{}", prefix, c);
    if (has_band(curve)) {
      bands +=
          curve.x.size() == 1
              ? fmt::format("{} using 1:2:3:4 with yerrorbars ps 0 lw 1.2 lc rgb '{}', ", data, curve.colour)
              : fmt::format(
                    "{} using 1:3:4 with filledcurves fc rgb '{}' fs transparent solid 0.18 noborder, ", data,
                    curve.colour);
    }
    curves += fmt::format("{} using 1:2 {}, ", data, style_of(curve));
  }
  std::string levels;
  for (const double level : panel.levels) {
    levels += fmt::format("{:g} with lines lc rgb '#888888' lw 0.8, ", level);
  }
  std::string command = "plot " + levels + bands + curves;
  command.erase(command.find_last_not_of(", ") + 1);
  return command + "\n";
}

}  // namespace

std::string gnuplot_text(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? "''" : std::string(1, c);
  }
  return quoted + "'";
}

std::string panels_script(const std::vector<Panel>& panels, int columns) {
  const int count = static_cast<int>(panels.size());
  std::string data;
  std::string script = fmt::format(
      "set multiplot layout {},{}\nset datafile missing 'NaN'\nset encoding utf8\nunset key\n"
      "set border lw 0.8 lc rgb '#444444'\nset tics nomirror font ',10'\nset title font ',12' offset 0,-0.4\n"
      "set xlabel font ',11' offset 0,0.4\nset ylabel font ',11' offset 0.8,0\nset lmargin 9\nset rmargin "
      "2\n",
      (count + columns - 1) / columns, columns);
  for (int p = 0; p < count; ++p) {
    const Panel& panel = panels[static_cast<std::size_t>(p)];
    const std::string prefix = fmt::format("$panel{}curve", p);
    for (std::size_t c = 0; c < panel.curves.size(); ++c) {
      data += data_block(fmt::format("{}{}", prefix, c), panel.curves[c]);
    }
    script +=
        "unset arrow\nunset logscale\nunset x2tics\nunset x2label\nset xrange [*:*]\nset yrange [*:*]\n"
        "set format y '%g'\nset title font ',12'\nset xtics autofreq\nset grid lc rgb '#dddddd' lw 0.6\n";
    for (const std::string& setting : panel.settings) {
      script += setting + "\n";
    }
    script += fmt::format("set title {}\nset xlabel {}\nset ylabel {}\n", gnuplot_text(panel.title),
                          gnuplot_text(panel.x_label), gnuplot_text(panel.y_label));
    script += plot_command(panel, prefix);
  }
  return data + script + "unset multiplot\n";
}

std::string panels_svg(const std::vector<Panel>& panels, int columns, int width, int height,
                       const std::string& prefix) {
  const int rows = (static_cast<int>(panels.size()) + columns - 1) / columns;
  return svg_of(fmt::format("size {},{} font 'DejaVu Sans,12' noenhanced rounded background rgb 'white'",
                            columns * width, rows * height),
                panels_script(panels, columns), prefix);
}

}  // namespace mosaic::eval

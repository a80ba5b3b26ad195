#include "apps/world_climate_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/signals.hpp"
#include "campaign/progress.hpp"
#include "eval/report/gnuplot.hpp"
#include "eval/report/plot_panels.hpp"

namespace mosaic {
namespace {

using eval::Curve;
using eval::Panel;
using world::Climate;
using world::SeasonClimate;

constexpr const char* level_colours[] = {"#0072b2", "#009e73", "#d55e00"};  // 200, 500, 800 hPa
constexpr const char* season_names[] = {"December to February", "June to August"};

Panel wind_panel(const Climate& climate, std::size_t season) {
  Panel panel{.title = fmt::format("zonal-mean wind, {}", season_names[season]),
              .x_label = "latitude [degrees]",
              .y_label = "m/s",
              .settings = {"set xrange [-90:90]", "set xtics -90,30,90"},
              .curves = {},
              .levels = {0}};
  for (std::size_t level = 0; level < world::levels; ++level) {
    panel.curves.push_back({.colour = level_colours[level],
                            .style = eval::CurveStyle::smooth,
                            .x = climate.latitude,
                            .y = climate.seasons[season].zonal_wind[level]});
  }
  return panel;
}

Panel deviation_panel(const Climate& climate) {
  Panel panel{.title = "z500 standard deviation in time, zonal mean (DJF line, JJA dashed)",
              .x_label = "latitude [degrees]",
              .y_label = "m",
              .settings = {"set xrange [-90:90]", "set xtics -90,30,90"},
              .curves = {}};
  for (std::size_t season = 0; season < 2; ++season) {
    panel.curves.push_back({.colour = level_colours[1],
                            .style = season == 0 ? eval::CurveStyle::smooth : eval::CurveStyle::dashed,
                            .x = climate.latitude,
                            .y = zonal_mean(climate, climate.seasons[season].height_deviation)});
  }
  return panel;
}

Panel spectrum_panel(const Climate& climate) {
  Panel panel{.title = "kinetic energy by degree, whole year",
              .x_label = "degree",
              .y_label = "m2/s2",
              .settings = {"set logscale xy", "set xrange [1:*]"},
              .curves = {}};
  for (std::size_t level = 0; level < world::levels; ++level) {
    Curve curve{.colour = level_colours[level], .style = eval::CurveStyle::line};
    for (std::size_t n = 1; n < climate.kinetic_spectrum[level].size(); ++n) {
      curve.x.push_back(static_cast<double>(n));
      curve.y.push_back(climate.kinetic_spectrum[level][n]);
    }
    panel.curves.push_back(curve);
  }
  return panel;
}

Panel twin_panel(const Climate& climate) {
  Panel panel{.title = "z500 difference of twins (January line, July dashed)",
              .x_label = "day",
              .y_label = "m",
              .settings = {"set logscale y"},
              .curves = {},
              .levels = {3, 30}};
  for (std::size_t month = 0; month < 2; ++month) {
    Curve curve{.colour = "#cc79a7",
                .style = month == 0 ? eval::CurveStyle::smooth : eval::CurveStyle::dashed,
                .y = climate.twins[month].difference};
    for (std::size_t day = 0; day < curve.y.size(); ++day) {
      curve.x.push_back(static_cast<double>(day));
    }
    panel.curves.push_back(curve);
  }
  return panel;
}

enum class Colours { sequential, diverging };

/// A map [lat, lon] with its scale of colours; `prefix` as in svg_of().
std::string map_svg(const Climate& climate, const std::string& title, const std::vector<double>& values,
                    Colours colours, const std::string& prefix) {
  std::string script = "$map << EOD\n";
  double largest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double longitude =
        360.0 * static_cast<double>(i % climate.longitudes) / static_cast<double>(climate.longitudes);
    script += fmt::format("{} {} {:.5g}\n", longitude, climate.latitude[i / climate.longitudes], values[i]);
    largest = std::max(largest, std::abs(values[i]));
  }
  script += fmt::format(
      "EOD\nset palette {}\nset cbrange [{}:{}]\nset title {}\nunset key\nset xrange [0:360]\n"
      "set yrange [-90:90]\nset xtics 60\nset ytics 30\nplot $map using 1:2:3 with image\n",
      colours == Colours::diverging ? "defined (-1 '#2166ac', 0 '#f7f7f7', 1 '#b2182b')"
                                    : "defined (0 '#fcfdbf', 0.4 '#f1605d', 0.7 '#721f81', 1 '#180f3d')",
      colours == Colours::diverging ? -largest : 0, largest, eval::gnuplot_text(title));
  return eval::svg_of("size 580,300 font 'DejaVu Sans,11' noenhanced background rgb 'white'", script, prefix);
}

std::string page(const Climate& climate) {
  const SeasonClimate& winter = climate.seasons[0];
  std::vector<double> waves = winter.height;
  const auto mean = zonal_mean(climate, winter.height);
  for (std::size_t i = 0; i < waves.size(); ++i) {
    waves[i] -= mean[i / climate.longitudes];
  }
  std::vector<Panel> panels = {wind_panel(climate, 0), wind_panel(climate, 1), deviation_panel(climate),
                               spectrum_panel(climate)};
  if (climate.request.twin_days > 0) {
    panels.push_back(twin_panel(climate));
  }
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><title>Climate of the simulated "
      "world</title><style>body{{font-family:sans-serif;max-width:1200px;margin:2em "
      "auto}}svg{{max-width:100%;height:auto}}.maps "
      "svg{{width:49%}}pre{{font-size:0.85em;overflow-x:auto}}</style></head><body>\n"
      "<p>Simulated three-level quasi-geostrophic atmosphere (qg3), not observations. Levels: "
      "<b style=\"color:{}\">200</b>, <b style=\"color:{}\">500</b>, <b style=\"color:{}\">800 hPa</b>.</p>\n"
      "{}\n<div class=\"maps\">\n{}\n{}\n{}\n</div>\n<pre>{}</pre>\n</body></html>\n",
      level_colours[0], level_colours[1], level_colours[2], eval::panels_svg(panels, 2, 580, 320, "panels"),
      map_svg(climate, "z500 standard deviation in time, December to February [m]", winter.height_deviation,
              Colours::sequential, "djf"),
      map_svg(climate, "z500 standard deviation in time, June to August [m]",
              climate.seasons[1].height_deviation, Colours::sequential, "jja"),
      map_svg(climate, "z500 stationary waves, December to February [m]", waves, Colours::diverging, "waves"),
      climate_text(climate));
}

}  // namespace

WorldClimateCommand::WorldClimateCommand(CLI::App& program)
    : command_(program.add_subcommand("world-climate",
                                      "Simulate years of the qg3 world: table and pictures of its climate")) {
  CLI::App& command = *command_;
  const auto number = [&](const char* flag, int& value, int least, const char* text) {
    command.add_option(flag, value, text)->check(CLI::Range(least, 10000))->capture_default_str();
  };
  command.add_option("--truncation", truncation_, "21 or 42")
      ->check(CLI::IsMember({21, 42}))
      ->capture_default_str();
  number("--members", request_.members, 1, "Realizations, advanced together");
  number("--years", request_.years, 1, "Of each, from 1 January on");
  number("--spin-up", request_.spin_up_days, 0, "Days before, which do not count");
  number("--twin-days", request_.twin_days, 0, "Length of the twin runs of January and July; 0 = none");
  number("--threads", request_.threads, 1, "CPU threads");
  command.add_option("--seed", request_.seed, "Of the first member")->capture_default_str();
  command.add_option("--html", html_, "Also write table and pictures as a page to this file");
  command.footer(
      "Example (10 years in about 75 s): mosaic_data world-climate --members 5 --years 2 --threads 2 --html "
      "climate.html");
}

int WorldClimateCommand::run(const Comm& comm) const {
  if (comm.rank() != 0) {
    return static_cast<int>(ExitCode::complete);
  }
  if (!html_.empty()) {  // before a minute of work, not after it
    eval::require_gnuplot();
    const auto folder = std::filesystem::absolute(html_).parent_path();
    require(std::filesystem::is_directory(folder), ExitCode::cannot_create, "--html {}: no folder {}", html_,
            folder.string());
  }
  world::ClimateRequest request = request_;
  request.parameters = world::parameters_of(truncation_);
  double done = 0;
  Progress progress(
      100, Duration{5}, [&] { return static_cast<std::size_t>(100 * done); }, "percent");
  const auto climate = simulate_climate(request, [&](double part) {
    done = part;
    progress.tick();
    return !stop_requested();
  });
  if (!climate) {
    fmt::print(stderr, "stopped by a signal; nothing was written\n");
    return static_cast<int>(ExitCode::stopped_early);
  }
  fmt::print("{}", climate_text(*climate));
  if (!html_.empty()) {
    write_text_atomically(html_, page(*climate));
    fmt::print(stderr, "{}\n", html_);
  }
  return static_cast<int>(ExitCode::complete);
}

}  // namespace mosaic

#include "eval/report/plot_panels.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "eval/report/gnuplot.hpp"
#include "support/errors.hpp"
#include "support/job.hpp"

namespace mosaic::eval {
namespace {

const double nan_value = std::nan("");

TEST(Gnuplot, PicturesStandInsideAPage) {
  const std::string svg = svg_of("size 300,200 noenhanced", "plot x title 'a < b'", "one-");
  EXPECT_TRUE(svg.starts_with("<svg"));
  EXPECT_EQ(test::count_of(svg, "</svg>"), 1U);
  EXPECT_EQ(svg.find("http"), std::string::npos);
  EXPECT_EQ(svg.find("<?xml"), std::string::npos);
  EXPECT_EQ(svg.find("xlink"), std::string::npos);
  EXPECT_NE(svg.find("viewBox"), std::string::npos);
  EXPECT_NE(svg.find("a &lt; b"), std::string::npos);
  EXPECT_GT(test::count_of(svg, "id=\"one-") + test::count_of(svg, "id='one-"), 0U);
  EXPECT_EQ(test::count_of(svg, " id="), test::count_of(svg, "id=\"one-") + test::count_of(svg, "id='one-"));
}

TEST(Gnuplot, AFailureHasItsWords) {
  std::string message;
  EXPECT_EQ(test::code_of([] { svg_of("size 300,200", "plot nonsense", "x-"); }, &message),
            ExitCode::internal);
  EXPECT_NE(message.find("undefined variable: nonsense"), std::string::npos) << message;
}

TEST(PlotPanels, TextIsNotInterpreted) {
  EXPECT_EQ(gnuplot_text("Ekman's `date` \"x\""), "'Ekman''s `date` \"x\"'");
  const Panel panel{"it's `date` @x", "a_b", "c^2", {}, {{.colour = "#000000", .x = {1, 2}, .y = {1, 2}}}};
  const std::string svg = panels_svg({panel}, 1, 300, 200, "p-");
  EXPECT_NE(svg.find("`date` @x"), std::string::npos);
}

// What scores can be: nothing but zeros, single values, no interval, all beyond the axis.
TEST(PlotPanels, AnyNumbersCanBeDrawn) {
  const std::string zero_in_sight = "set yrange [*<0:0<*]";
  std::vector<Panel> panels;
  for (const std::vector<double>& y : {std::vector<double>{0, 0}, {-1e-18, -1e-18}, {5, 7}, {nan_value, 1}}) {
    panels.push_back({"", "", "", {zero_in_sight}, {{.colour = "#0072b2", .x = {1, 2}, .y = y}}});
    panels.back().curves.push_back({.colour = "#000000", .x = {1, 2}, .y = y, .lower = y, .upper = y});
  }
  panels.push_back({"", "", "", {zero_in_sight}, {{.colour = "#000000", .x = {1}, .y = {3}}}});
  panels.back().curves[0].lower = {2};
  panels.back().curves[0].upper = {nan_value};
  const std::vector<double> far = {100, 200};
  panels.push_back(
      {"", "", "", {"set yrange [0:1.4<*<2.5]"}, {{.colour = "#000000", .x = {1, 2}, .y = far}}});
  panels.back().levels = {1.0};
  const std::string svg = panels_svg(panels, 3, 300, 200, "p-");
  EXPECT_EQ(test::count_of(svg, "</svg>"), 1U);
  EXPECT_NE(svg.find("viewBox=\"0 0 900 400\""), std::string::npos);
  // The twin: an axis that leaves nothing in sight, and gnuplot's failure is seen.
  panels[1].settings = {"set yrange [0:*]"};
  EXPECT_EQ(test::code_of([&] { panels_svg(panels, 3, 300, 200, "p-"); }), ExitCode::internal);
}

}  // namespace
}  // namespace mosaic::eval

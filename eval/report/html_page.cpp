#include "eval/report/html_page.hpp"

#include <fmt/format.h>

#include "base/version.hpp"
#include "eval/report/figures.hpp"
#include "eval/report/gnuplot.hpp"
#include "eval/report/report_tables.hpp"

namespace mosaic::eval {
namespace {

constexpr const char* style = R"(
body { font: 15px/1.45 "DejaVu Sans", Verdana, sans-serif; color: #222; max-width: 1180px; margin: 2em auto;
  padding: 0 1em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.25em; margin-top: 2em; border-bottom: 1px solid #bbb; }
h3 { font-size: 1.05em; margin-bottom: .4em; }
section { overflow-x: auto; }
table { border-collapse: collapse; font-size: .82em; font-variant-numeric: tabular-nums; }
th { border-bottom: 2px solid #777; text-align: right; padding: .25em .7em; }
td { text-align: right; padding: .12em .7em; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
tr.group td { border-top: 1px solid #ccc; }
ul.notes, figcaption { font-size: .8em; color: #555; }
.remark { background: #fff3cd; border-left: 4px solid #d39e00; padding: .5em 1em; }
p.legend { font-size: .85em; margin: .2em 0; } p.legend span { margin-right: 1.6em; white-space: nowrap; }
p.legend i { display: inline-block; width: 2em; vertical-align: middle; margin-right: .4em; }
figure { margin: 1em 0 2em; }
svg { width: 100%; height: auto; }
)";

std::string legend_html(const std::vector<LegendEntry>& legend) {
  std::string html = "<p class=\"legend\">";
  for (const LegendEntry& entry : legend) {
    html += fmt::format("<span><i style=\"border-top: 3px {} {}\"></i>{}</span>\n",
                        entry.dashed ? "dashed" : "solid", entry.colour, html_escaped(entry.label));
  }
  return html + "</p>\n";
}

}  // namespace

void require_figures() { require_gnuplot(); }

std::string report_html(const Report& report) {
  const std::string title = html_escaped("Forecast verification: " + report.runs.front().label);
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{}</title>\n"
      "<style>{}</style>\n</head>\n<body>\n<h1>{}</h1>\n",
      title, style, title);
  for (const std::string& remark : report.remarks) {
    page += fmt::format("<p class=\"remark\">{}</p>\n", html_escaped(remark));
  }
  page += "<h2>Figures</h2>\n";
  for (const Figure& figure : report_figures(report)) {
    page += fmt::format("<figure>\n<h3>{}</h3>\n{}{}\n<figcaption>{}</figcaption>\n</figure>\n",
                        html_escaped(figure.title), legend_html(figure.legend), figure.svg,
                        html_escaped(figure.caption));
  }
  page += "<h2>Tables</h2>\n";
  for (const Table& table : report_tables(report)) {
    page += html_text(table);
  }
  return page + fmt::format("<p class=\"made\">Made by mosaic_report, {}</p>\n</body>\n</html>\n",
                            html_escaped(version_text()));
}

}  // namespace mosaic::eval

#include "eval/report/figure_parts.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include "eval/report/report_tables.hpp"

namespace mosaic::eval {

const std::string& curve_colour(std::size_t i) {
  static const std::array<std::string, 7> colours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                     "#e69f00", "#56b4e9", "#777777"};
  return colours[i % colours.size()];
}

std::vector<LegendEntry> run_legend(const Report& report) {
  std::vector<LegendEntry> legend;
  for (std::size_t run = 0; run < report.runs.size(); ++run) {
    const RunResults& results = report.runs[run];
    legend.push_back({results.label + (results.finished ? "" : " (not finished)") +
                          (report.reference == run ? " (reference)" : ""),
                      curve_colour(run)});
  }
  return legend;
}

std::vector<LegendEntry> used_entries(const std::vector<LegendEntry>& all, const std::vector<Panel>& panels) {
  std::set<std::string> colours;
  for (const Panel& panel : panels) {
    for (const Curve& curve : panel.curves) {
      colours.insert(curve.colour);
    }
  }
  std::vector<LegendEntry> used;
  std::copy_if(all.begin(), all.end(), std::back_inserter(used),
               [&](const LegendEntry& entry) { return colours.contains(entry.colour); });
  return used;
}

std::string words_of(const Channel& channel) {
  const std::string title = title_of(channel);
  return title.substr(0, title.find(" ["));
}

std::vector<Duration> outer_leads(const Report& report) {
  std::vector<Duration> leads = report.leads(), common;
  std::copy_if(leads.begin(), leads.end(), std::back_inserter(common), [&](Duration lead) {
    return std::all_of(report.runs.begin(), report.runs.end(), [&](const RunResults& run) {
      return std::find(run.options.leads.begin(), run.options.leads.end(), lead) != run.options.leads.end();
    });
  });
  leads = common.empty() ? leads : common;
  return leads.size() > 1 ? std::vector{leads.front(), leads.back()} : leads;
}

}  // namespace mosaic::eval

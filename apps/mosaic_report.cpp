// Results of runs -> tables with intervals, and one HTML page with figures.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "apps/command_line.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/version.hpp"
#include "eval/report/html_page.hpp"
#include "eval/report/report.hpp"
#include "eval/report/report_tables.hpp"
#include "parallel/comm.hpp"

namespace {

using namespace mosaic;

struct ReportFlags {
  eval::ReportOptions options;
  std::string reference;  ///< a folder, or "published"
  std::string published = "config/published_scores";
  std::string out;
  std::vector<std::string> formats = {"terminal", "markdown", "html"};
  bool json = false;
};

void declare(CLI::App& app, ReportFlags& flags) {
  eval::ReportOptions& options = flags.options;
  options.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  app.add_option("RUN", options.runs, "Results folders of mosaic_hindcast or mosaic_evaluate")->required();
  app.add_option(
      "--reference", flags.reference,
      "Results folder to subtract, on common initial times; or: published, for published scores of "
      "the runs' grid and year");
  app.add_option("--published", flags.published, "Folder of the tables of published scores")
      ->capture_default_str();
  app.add_option("--out", flags.out, "Folder for report.html and report.md; default: the first RUN");
  app.add_option("--format", flags.formats, "terminal, markdown, html: one or several, with commas")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"terminal", "markdown", "html"}))
      ->capture_default_str();
  app.add_flag("--json", flags.json, "Print all numbers as one JSON object instead of tables");
  app.add_option("--region", options.region, "Region; default: the first of the first run");
  app.add_option("--channel", options.channels,
                 "Channels with commas (geopotential_500,2m_temperature); default: the headline channels")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--confidence", options.bootstrap.confidence, "Confidence of the intervals")
      ->check(CLI::Range(0.5, 0.999))
      ->capture_default_str();
  app.add_option("--samples", options.bootstrap.samples, "Bootstrap samples")
      ->check(CLI::Range(100, 100000))
      ->capture_default_str();
  app.add_option("--seed", options.bootstrap.seed, "Of the bootstrap: same seed, same bits")
      ->capture_default_str();
  app.add_option("--threads", options.threads, "CPU threads; no influence on the numbers")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.footer(
      "Example:\n  mosaic_report results/mine results/ifs --reference results/ifs --format html,terminal\n"
      "  mosaic_report results/mine --reference published");
}

bool wants(const ReportFlags& flags, const std::string& format) {
  return std::find(flags.formats.begin(), flags.formats.end(), format) != flags.formats.end();
}

void write_report(const ReportFlags& flags) {
  if (wants(flags, "html")) {
    eval::require_figures();  // before the work, not after it
  }
  const eval::Report report = eval::make_report(flags.options);
  const std::string out = flags.out.empty() ? report.runs.front().folder : flags.out;
  if (flags.json) {
    fmt::print("{}", eval::report_json(report));
  } else if (wants(flags, "terminal")) {
    fmt::print("{}", eval::report_terminal(report));
  }
  const auto write = [&](const char* format, const std::string& name, const auto& text) {
    if (wants(flags, format)) {
      create_folder(out);
      write_text_atomically(out + "/" + name, text(report));
      fmt::print(flags.json ? stderr : stdout, "report: {}/{}\n", out, name);
    }
  };
  write("markdown", "report.md", eval::report_markdown);
  write("html", "report.html", eval::report_html);
}

int run(int argc, char** argv) {
  CLI::App app{"Tables and figures of the scores of runs, with confidence intervals"};
  app.set_version_flag("--version", version_text());
  ReportFlags flags;
  declare(app, flags);
  if (const auto code = end_of_parsing(app, argc, argv)) {
    return *code;
  }
  if (flags.reference == "published") {
    flags.options.published = flags.published;
  } else {
    flags.options.reference = flags.reference;
    require(app.count("--published") == 0, ExitCode::usage,
            "--published has no effect without --reference published");
  }
  if (Comm::world().rank() == 0) {  // with several ranks the first one does the work
    write_report(flags);
  }
  return static_cast<int>(ExitCode::complete);
}

}  // namespace

int main(int argc, char** argv) { return mosaic::run_app(argc, argv, run); }

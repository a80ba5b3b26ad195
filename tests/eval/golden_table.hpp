#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic::eval {

/// One line of scores_wb2.csv; an empty `init` is the mean over all initial times.
struct Row {
  std::string suite, metric, region, variable, level, lead, init, extra;
  double value;
};

std::vector<Row> read_rows(const std::filesystem::path& path, const std::string& suite,
                           const std::string& extra);

struct Comparison {
  std::size_t rows = 0, wrong = 0;
  std::set<std::string> keys;  ///< metric region of the rows that were compared
  std::string first_wrong;
};

/// Rows against documents in the layout of metrics_document(): by initial time, "" for the mean over all.
/// Rows of scores, regions, variables and initial times that they do not have are not compared.
Comparison compare(const std::vector<Row>& rows, const std::map<std::string, NetcdfDocument>& documents);

}  // namespace mosaic::eval

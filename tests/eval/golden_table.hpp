#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "eval/golden_rows.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic::eval {

struct Comparison {
  std::size_t rows = 0, wrong = 0;
  std::set<std::string> keys;  ///< metric region of the rows that were compared
  std::string first_wrong;
};

/// Rows against documents in the layout of metrics_document(): by initial time, "" for the mean over all.
/// Rows of scores, regions, variables and initial times that they do not have are not compared.
Comparison compare(const std::vector<Row>& rows, const std::map<std::string, NetcdfDocument>& documents);

}  // namespace mosaic::eval

#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace mosaic::eval {

/// One line of scores_wb2.csv; an empty `init` is the mean over all initial times.
struct Row {
  std::string suite, metric, region, variable, level, lead, init, extra;
  double value;
};

/// Fields may be quoted, then they may hold commas.
inline std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char letter : line) {
    if (letter == '"') {
      quoted = !quoted;
    } else if (letter == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += letter;
    }
  }
  return fields;
}

inline std::vector<Row> read_rows(const std::filesystem::path& path, const std::string& suite,
                                  const std::string& extra) {
  std::ifstream file(path);
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> f = split(line);
    if (f.size() == 9 && f[0] == suite && f[7] == extra) {
      rows.push_back({f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], std::stod(f[8])});
    }
  }
  return rows;
}

}  // namespace mosaic::eval

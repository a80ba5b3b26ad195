#pragma once

#include <string>
#include <vector>

namespace mosaic::eval {

/// A table in words, whatever it is written as. Rows have as many cells as there are columns; an empty first
/// cell means the one above.
struct Table {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> notes;  ///< grid, weights, estimator, ...: one line each
};

/// Aligned columns; the first is flush left, the others right.
std::string terminal_text(const Table& table);
/// GitHub's Markdown; pipes in cells are escaped.
std::string markdown_text(const Table& table);
/// <section> with <table>; text is escaped.
std::string html_text(const Table& table);

/// &, <, > and quotes as entities.
std::string html_escaped(const std::string& text);

}  // namespace mosaic::eval

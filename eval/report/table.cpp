#include "eval/report/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace mosaic::eval {
namespace {

/// Characters, not bytes, of UTF-8.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width, bool left) {
  const std::string blanks(width - std::min(width, width_of(text)), ' ');
  return left ? text + blanks : blanks + text;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

}  // namespace

std::string terminal_text(const Table& table) {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    widths.push_back(width_of(table.columns[c]));
    for (const auto& row : table.rows) {
      widths.back() = std::max(widths.back(), width_of(row[c]));
    }
  }
  std::string text = table.title + "\n";
  const auto add_line = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      line += (c == 0 ? "" : "  ") + padded(cells[c], widths[c], c == 0);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add_line(table.columns);
  for (const auto& row : table.rows) {
    add_line(row);
  }
  for (const std::string& note : table.notes) {
    text += "  " + note + "\n";
  }
  return text + "\n";
}

std::string markdown_text(const Table& table) {
  std::string text = fmt::format("### {}\n\n", table.title);
  const auto add_line = [&](const std::vector<std::string>& cells) {
    text += "|";
    for (const std::string& cell : cells) {
      text += fmt::format(" {} |", replaced(replaced(cell, "|", "\\|"), "*", "\\*"));
    }
    text += "\n";
  };
  add_line(table.columns);
  text += "|---|";
  for (std::size_t c = 1; c < table.columns.size(); ++c) {
    text += "---:|";
  }
  text += "\n";
  for (const auto& row : table.rows) {
    add_line(row);
  }
  text += "\n";
  for (const std::string& note : table.notes) {
    text += "- " + replaced(note, "*", "\\*") + "\n";
  }
  return text + "\n";
}

std::string html_escaped(const std::string& text) {
  std::string escaped = replaced(text, "&", "&amp;");
  for (const auto& [sign, entity] : {std::pair{"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}}) {
    escaped = replaced(escaped, sign, entity);
  }
  return escaped;
}

std::string html_text(const Table& table) {
  std::string text = fmt::format("<section>\n<h3>{}</h3>\n<table>\n<thead><tr>", html_escaped(table.title));
  for (const std::string& column : table.columns) {
    text += fmt::format("<th>{}</th>", html_escaped(column));
  }
  text += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    text += row[0].empty() ? "<tr>" : "<tr class=\"group\">";
    for (const std::string& cell : row) {
      text += fmt::format("<td>{}</td>", html_escaped(cell));
    }
    text += "</tr>\n";
  }
  text += "</tbody>\n</table>\n<ul class=\"notes\">\n";
  for (const std::string& note : table.notes) {
    text += fmt::format("<li>{}</li>\n", html_escaped(note));
  }
  return text + "</ul>\n</section>\n";
}

}  // namespace mosaic::eval

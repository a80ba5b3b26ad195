#pragma once

#include <cstddef>
#include <string_view>

namespace mosaic {

/// Levenshtein's distance: how many single letters to insert, delete or replace to turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace mosaic

#pragma once

#include <string>

namespace mosaic::eval {

/// Errors: missing_input with a remedy if gnuplot cannot be started.
void require_gnuplot();

/// Runs a gnuplot script that plots to an SVG terminal, and returns the picture as an <svg> element to stand
/// inside an HTML page: no prolog, no name spaces, its own size dropped (the page decides), identifiers
/// beginning with `prefix`, which must differ among the pictures of a page. `terminal`: size and fonts, what
/// follows "set terminal svg". Users' gnuplot settings are not read. Errors: missing_input as above; internal
/// with gnuplot's own words if it fails; cannot_create for a temporary folder.
std::string svg_of(const std::string& terminal, const std::string& script, const std::string& prefix);

}  // namespace mosaic::eval

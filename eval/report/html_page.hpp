#pragma once

#include <string>

#include "eval/report/report.hpp"

namespace mosaic::eval {

/// Whether figures can be drawn. Errors: missing_input with a remedy.
void require_figures();

/// One page that needs nothing else: figures as inline SVG, style inside, no scripts; elements are closed, so
/// that it reads as XML. Errors: as report_figures().
std::string report_html(const Report& report);

}  // namespace mosaic::eval

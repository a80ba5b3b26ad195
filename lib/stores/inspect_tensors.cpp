#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "stores/inspect.hpp"
#include "stores/tensor_file.hpp"

namespace mosaic {

namespace {

struct Totals {
  std::size_t tensors = 0;
  std::size_t bytes = 0;
  std::size_t model_values = 0;  ///< parameters and buffers under "model."
};

Totals totals_of(const TensorFile& file) {
  Totals totals;
  for (const auto& [name, view] : file.tensors()) {
    ++totals.tensors;
    totals.bytes += view.bytes.size();
    totals.model_values += name.starts_with("model.") ? view.elements() : 0;
  }
  return totals;
}

std::string as_json(const TensorFile& file) {
  const Totals totals = totals_of(file);
  nlohmann::ordered_json tensors = nlohmann::ordered_json::object();
  for (const auto& [name, view] : file.tensors()) {
    tensors[name] = {{"type", to_string(view.type)}, {"shape", view.shape}, {"bytes", view.bytes.size()}};
  }
  const nlohmann::ordered_json document = {{"path", file.path()},
                                           {"kind", "tensors"},
                                           {"tensors", tensors},
                                           {"bytes", totals.bytes},
                                           {"model_values", totals.model_values},
                                           {"metadata", file.metadata()}};
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string as_text(const TensorFile& file) {
  std::size_t width = 4;
  for (const auto& [name, view] : file.tensors()) {
    width = std::max(width, name.size());
  }
  const Totals totals = totals_of(file);
  std::string text = fmt::format("{}: {} tensors, {} bytes\n", file.path(), totals.tensors, totals.bytes);
  for (const auto& [name, view] : file.tensors()) {
    text += fmt::format("  {:<{}}  {:<8}  [{}]  {} bytes\n", name, width, to_string(view.type),
                        fmt::join(view.shape, ", "), view.bytes.size());
  }
  if (totals.model_values > 0) {
    text += fmt::format("values under model.: {}\n", totals.model_values);
  }
  for (const auto& [key, value] : file.metadata()) {
    text += fmt::format("metadata {} = {}\n", key, value);
  }
  return text;
}

}  // namespace

std::string inspect_tensors(const std::string& path, InspectFormat format) {
  const auto file = open_tensor_file(path);
  return format == InspectFormat::json ? as_json(*file) : as_text(*file);
}

}  // namespace mosaic

#include "world/simulation_folder.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "stores/npz_writer.hpp"
#include "stores/tensor_file.hpp"

namespace mosaic::world {
namespace {

namespace fs = std::filesystem;
using Attributes = std::map<std::string, std::string>;

/// They follow from others, and may be long.
const std::set<std::string> derived = {"first_times_of_realizations", "seams"};
constexpr const char* work_name = ".simulation";

/// The attributes of a store that this program began; nothing if it is not one.
std::optional<Attributes> read_attributes(const std::string& file) {
  const auto json = nlohmann::json::parse(read_text(file), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("dataset", nlohmann::json()) != "qg3") {
    return std::nullopt;
  }
  Attributes attributes;
  for (const auto& [name, value] : json.items()) {
    attributes[name] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return attributes;
}

std::vector<std::string> differences(const Attributes& there, const Attributes& wanted) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : wanted) {
    const auto found = there.find(name);
    if (!derived.contains(name) && (found == there.end() || found->second != value)) {
      lines.push_back(fmt::format("{}: {} there, {} asked for", name,
                                  found == there.end() ? "absent" : found->second, value));
    }
  }
  for (const auto& [name, value] : there) {
    if (!wanted.contains(name)) {
      lines.push_back(fmt::format("{}: {} there, absent in what is asked for", name, value));
    }
  }
  return lines;
}

/// Whether a run that was killed right at its beginning may have left nothing but this.
bool holds_nothing_else(const std::string& path) {
  const auto entries = fs::directory_iterator(path);
  return std::all_of(begin(entries), end(entries), [](const fs::directory_entry& entry) {
    const std::string name = entry.path().filename();
    return name == work_name || name.starts_with(".zattrs.tmp");
  });
}

double single(const TensorFile& file, const std::string& name) {
  const std::vector<double> values = file.at(name).to_double();
  require(values.size() == 1, ExitCode::corrupt_input, "{}: {} has {} values", file.path(), name,
          values.size());
  return values.front();
}

/// Whether a state of this time, with so many outputs behind it, belongs to the stretch.
bool fits(const SimulationPlan& plan, const Stretch& stretch, const Restart& restart) {
  const std::int64_t seconds = (restart.state.times.front() - plan.start_of(stretch)).seconds;
  const std::int64_t steps = seconds / plan.time_step.seconds;
  const std::size_t outputs = restart.outputs;
  return seconds >= 0 && seconds % plan.time_step.seconds == 0 && outputs <= stretch.count &&
         (outputs == 0 || steps >= plan.steps_to(outputs - 1)) &&
         (outputs == stretch.count ? steps == plan.steps_of(stretch) : steps <= plan.steps_to(outputs));
}

}  // namespace

SimulationFolder::SimulationFolder(std::string path) : path_(std::move(path)) {
  while (path_.size() > 1 && path_.ends_with('/')) {
    path_.pop_back();
  }
  work_ = path_ + "/" + work_name;
}

SimulationStatus SimulationFolder::status(const Attributes& attributes) const {
  if (!fs::exists(path_)) {
    return SimulationStatus::absent;
  }
  const std::string file = path_ + "/.zattrs";
  if (fs::is_directory(path_) && !fs::exists(file) && holds_nothing_else(path_)) {
    return SimulationStatus::absent;
  }
  std::optional<Attributes> there;
  if (fs::exists(file)) {
    there = read_attributes(file);
  }
  require(there.has_value(), ExitCode::cannot_create,
          "{}: exists already and is no simulation; remove it or choose another OUT", path_);
  const std::vector<std::string> lines = differences(*there, attributes);
  require(lines.empty(), ExitCode::bad_configuration,
          "{} holds another simulation and is left as it is; remove it, choose another OUT, or ask for the "
          "same:\n  {}",
          path_, fmt::join(lines, "\n  "));
  return fs::exists(path_ + "/.zmetadata") ? SimulationStatus::complete : SimulationStatus::unfinished;
}

void SimulationFolder::prepare() const {
  create_folder(work_);
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::recursive_directory_iterator(path_)) {
    const std::string extension = entry.path().extension();
    if (extension.starts_with(".tmp") && entry.is_regular_file()) {
      leftovers.push_back(entry.path());
    }
  }
  for (const fs::path& file : leftovers) {
    fs::remove(file);
  }
}

std::string SimulationFolder::restart_file(std::size_t realization) const {
  return fmt::format("{}/realization_{:04d}.npz", work_, realization);
}

void SimulationFolder::save(std::size_t realization, const Restart& restart) const {
  require(restart.state.members() == 1, "a restart file holds one member, not {}", restart.state.members());
  write_npz(restart_file(realization),
            {{"seconds", {static_cast<double>(restart.state.times.front().seconds)}, {}},
             {"outputs", {static_cast<double>(restart.outputs)}, {}},
             {"q", restart.state.q, {}}});
}

std::optional<Restart> SimulationFolder::load(std::size_t realization, const SimulationPlan& plan,
                                              const Parameters& parameters) const {
  const std::string path = restart_file(realization);
  if (!fs::exists(path)) {
    return std::nullopt;
  }
  const auto file = open_tensor_file(path);
  Restart restart;
  const double seconds = single(*file, "seconds");
  const double outputs = single(*file, "outputs");
  restart.state.q = file->at("q").to_double();
  const bool finite = std::all_of(restart.state.q.begin(), restart.state.q.end(),
                                  [](double value) { return std::isfinite(value); });
  constexpr double largest = 1e15;  // a whole number
  bool good = std::abs(seconds) < largest && outputs >= 0 && outputs < largest && finite &&
              restart.state.q.size() == parameters.rows() * 2 * levels;
  if (good) {
    restart.state.times = {Time{static_cast<std::int64_t>(seconds)}};
    restart.outputs = static_cast<std::size_t>(outputs);
    good = fits(plan, plan.stretches[realization], restart);
  }
  require(good, ExitCode::corrupt_input,
          "{}: is damaged or of another simulation; remove it, then realization {} begins anew", path,
          realization);
  return restart;
}

void SimulationFolder::remove_work() const {
  if (!fs::exists(work_)) {
    return;
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(work_)) {
    if (entry.path().filename().string().starts_with("realization_")) {
      files.push_back(entry.path());
    }
  }
  for (const fs::path& file : files) {
    fs::remove(file);
  }
  std::error_code others_are_there;
  fs::remove(work_, others_are_there);
}

}  // namespace mosaic::world

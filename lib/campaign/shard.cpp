#include "campaign/shard.hpp"

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "base/error.hpp"

namespace mosaic {

namespace {

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<int> environment_number(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? std::nullopt : number(text);
}

/// Task numbers of an array need not begin with 0 nor follow each other.
Shard shard_of_job_array() {
  const auto id = environment_number("SLURM_ARRAY_TASK_ID");
  const auto count = environment_number("SLURM_ARRAY_TASK_COUNT");
  if (!id || !count) {
    return {};
  }
  const int first = environment_number("SLURM_ARRAY_TASK_MIN").value_or(0);
  const int last = environment_number("SLURM_ARRAY_TASK_MAX").value_or(*count - 1);
  const int step = environment_number("SLURM_ARRAY_TASK_STEP").value_or(1);
  const bool even = step > 0 && first + (*count - 1) * step == last && (*id - first) % step == 0;
  require(
      even, ExitCode::usage,
      "the tasks {} ... {} of this Slurm job array ({} tasks) are not evenly spaced: say with --shard i/N "
      "which part of the initial times task {} does",
      first, last, *count, *id);
  return {(*id - first) / step, *count};
}

}  // namespace

Shard parse_shard(const std::string& text) {
  if (text.empty()) {
    return shard_of_job_array();
  }
  const std::size_t slash = text.find('/');
  const auto index = number(std::string_view(text).substr(0, slash));
  const auto count =
      slash == std::string::npos ? std::nullopt : number(std::string_view(text).substr(slash + 1));
  require(index && count && *index >= 0 && *index < *count, ExitCode::usage,
          "--shard: '{}' is not i/N with 0 <= i < N, such as 0/4", text);
  return {*index, *count};
}

std::vector<Time> times_of_shard(const std::vector<Time>& all, const Shard& shard) {
  std::vector<Time> mine;
  for (std::size_t i = static_cast<std::size_t>(shard.index); i < all.size();
       i += static_cast<std::size_t>(shard.count)) {
    mine.push_back(all[i]);
  }
  return mine;
}

}  // namespace mosaic

#include "forecast/group_agreement.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/signals.hpp"

namespace mosaic {

GroupAgreement::GroupAgreement(Comm group, bool stop_at_errors)
    : group_(std::move(group)), stop_at_errors_(stop_at_errors) {}

bool GroupAgreement::all_well(const std::function<void()>& action) const {
  std::optional<Error> problem;
  try {
    action();
  } catch (const Error& error) {
    if (stop_at_errors_ || group_.size() == 1) {
      throw;
    }
    problem = error;
  }
  if (group_.size() == 1) {
    return !stop_requested();
  }
  nlohmann::json mine = {{"stop", stop_requested()}};
  if (problem) {
    mine["code"] = static_cast<int>(problem->code());
    mine["problem"] = problem->what();
  }
  bool stop = false;
  std::optional<Error> first;
  for (const std::string& text :
       group_.all_gather(mine.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))) {
    const auto theirs = nlohmann::json::parse(text);
    stop = stop || theirs.at("stop").get<bool>();
    if (!first && theirs.contains("problem")) {
      first.emplace(static_cast<ExitCode>(theirs.at("code").get<int>()),
                    theirs.at("problem").get<std::string>());
    }
  }
  if (problem || first) {
    throw first.value();
  }
  return !stop;
}

}  // namespace mosaic

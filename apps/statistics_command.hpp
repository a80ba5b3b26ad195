#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "parallel/comm.hpp"
#include "stores/field_store.hpp"

namespace mosaic {

/// `mosaic_data statistics`: its flags and what it does. Every rank takes part.
class StatisticsCommand {
 public:
  explicit StatisticsCommand(CLI::App& program);

  bool parsed() const { return command_->parsed(); }
  /// The exit code. Errors: cannot_create, and those of compute_state_statistics().
  int run(const Comm& comm) const;

 private:
  CLI::App* command_;
  std::string input_, output_, start_, end_, step_;
  std::vector<std::string> channels_;
  FieldStoreOptions options_;
};

}  // namespace mosaic

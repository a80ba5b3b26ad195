#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "eval/climatology.hpp"
#include "parallel/comm.hpp"

namespace mosaic {

/// `mosaic_data climatology`: its flags and what it does. Every rank takes part.
class ClimatologyCommand {
 public:
  explicit ClimatologyCommand(CLI::App& program);

  bool parsed() const { return command_->parsed(); }
  /// The exit code. Errors: usage, and those of compute_climatology().
  int run(const Comm& comm) const;

 private:
  eval::ClimatologyRequest request() const;

  CLI::App* command_;
  std::string input_, output_, start_, end_, years_;
  std::vector<int> hours_;
  std::vector<std::string> variables_, channels_, statistics_;
  std::vector<double> quantiles_;
  FieldStoreOptions options_;
  int window_ = 61;
  double memory_ = 2.0;  ///< [GiB]
  bool allow_missing_ = false;
};

}  // namespace mosaic

#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "parallel/comm.hpp"
#include "world/climate.hpp"

namespace mosaic {

/// `mosaic_data world-climate`: its flags and what it does. One rank works.
class WorldClimateCommand {
 public:
  explicit WorldClimateCommand(CLI::App& program);

  bool parsed() const { return command_->parsed(); }
  /// The exit code. Errors: bad_configuration, cannot_create, io_error, missing_input without gnuplot where a
  /// page is asked for.
  int run(const Comm& comm) const;

 private:
  CLI::App* command_;
  world::ClimateRequest request_;
  int truncation_ = 21;
  std::string html_;
};

}  // namespace mosaic

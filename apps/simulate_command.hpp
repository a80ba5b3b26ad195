#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "parallel/comm.hpp"
#include "world/simulation.hpp"

namespace mosaic {

/// `mosaic_data simulate`: its flags and what it does. Every rank takes part.
class SimulateCommand {
 public:
  explicit SimulateCommand(CLI::App& program);

  bool parsed() const { return command_->parsed(); }
  /// The exit code. Errors: usage, bad_configuration while another job writes the same store, and those of
  /// world::simulate().
  int run(const Comm& comm) const;

 private:
  world::SimulationRequest request() const;

  CLI::App* command_;
  std::string output_, start_, end_;
  std::string step_ = "12h", grid_ = "64x32", spin_up_ = "150d";
  int truncation_ = 21;
  std::uint64_t seed_ = 1;
  std::size_t realizations_ = 1;
  int threads_ = 1;
};

}  // namespace mosaic

#pragma once

#include <string>

#include "fake_hindcast/fault.hpp"
#include "forecast/hindcast.hpp"

namespace mosaic::test {

/// What a hindcast of the null model can be told beside its configuration.
struct NullRun {
  double sleep = 0;  ///< [s] of an initial time; a batch takes its share
  Fault fault;       ///< of this rank
  int leak = 0;      ///< [KiB] that each initial time keeps, with a file descriptor
};

/// A configuration of the null model: `initial_times` times every 12 h from 2020-01-01T00, `leads` steps of
/// 12 h, input and truth from hash_field(), no forecast files.
HindcastConfig null_config(int initial_times, int leads);

/// Assembles a hindcast of the null model. An input.path other than "hash" is opened as a store, which must
/// hold hash_field() (see write_hash_store()); so is truth.path.
HindcastSetup set_up_null_hindcast(const HindcastConfig& config, const NullRun& run);

/// A Zarr store with all that `config` reads.
void write_hash_store(const std::string& path, const HindcastConfig& config);

}  // namespace mosaic::test

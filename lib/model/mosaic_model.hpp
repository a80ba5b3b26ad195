#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "grid/lat_lon_grid.hpp"
#include "model/forecast_model.hpp"
#include "model/network_file.hpp"
#include "model/precision.hpp"

namespace mosaic {

/// How the time features advance: as the published rollout does (year four times too fast), or by true time.
enum class Calendar { published, exact };

/// Weights are compared with the checksum that their file carries when they are loaded; those in memory again
/// before the first step of each initial time, if asked for.
enum class VerifyWeights { load, each_initial_time };

enum class DeviceKind { cpu, cuda };

/// Where the network runs.
struct DeviceChoice {
  DeviceKind kind = DeviceKind::cpu;
  int rank_on_node = 0;  ///< takes the visible GPU of this number, modulo how many there are
  int sharing = 1;       ///< ranks that take the same GPU and share its memory
  int chunk = 0;  ///< members that a GPU computes at once, a divisor of the batch; 0: the largest that fits,
                  ///< 8 at most
  int resident_members = 0;  ///< of the ensemble that make_resident() will be asked for
};

struct MosaicModelOptions {
  NetworkDescription description;
  std::string weights;      ///< checkpoint (.safetensors, .pt), or formula:KEY for pseudo-random weights
  std::string norm_stats;   ///< .npz with state_mean and state_std, each [C]
  std::string static_vars;  ///< .npz with data [lon, lat, 3], latitude, longitude
  std::string neighbours;   ///< .npz with to_hp and to_ll, or empty: the rule of grid/neighbours.hpp
  Calendar calendar = Calendar::published;
  int batch = 1;    ///< members per call of advance()
  int threads = 1;  ///< CPU threads of the whole process, see set_model_threads
  LatLonGrid grid;
  VerifyWeights verify_weights = VerifyWeights::load;
  Precision precision = Precision::float32;
  DeviceChoice device = {};
  /// For tests, which change a bit in memory: is given the first parameter by name, as it is used.
  std::function<void(std::span<std::byte>)> lend_weights = {};
};

/// The Mosaic network as a forecast model: normalise, predict, de-normalise, shift the history. Each member
/// is computed on its own, so its bits depend neither on the batch nor on the other members. Errors:
/// missing_input, corrupt_input (parameters missing, unknown or misshapen, statistics of another channel
/// count, static fields on another grid), bad_configuration (a network other than the one in the metadata of
/// the weights, a build without libtorch); advance() fails with internal where weights have changed in
/// memory.
std::unique_ptr<ForecastModel> make_mosaic_model(const MosaicModelOptions& options);

/// Threads of the network's operations, once at the start and before the first of them. Results are bitwise
/// reproducible for the same number. Errors: bad_configuration below 1.
void set_model_threads(int threads);

}  // namespace mosaic

#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "eval/device_scores.hpp"
#include "eval/device_transfers.hpp"
#include "eval/device_truth.hpp"
#include "kernels/harmonic_transform/harmonic_transform_device.hpp"
#include "kernels/zonal_spectrum/zonal_spectrum_device.hpp"

namespace mosaic::eval {

/// The spectra of DeviceScores: of every quantity the zonal coefficients of its one or two components, their
/// power in the bands of latitudes and, where asked for, the power by spherical-harmonic degree. Letters: M
/// members, F = M + 2 fields (members, their mean, the truth).
class DeviceSpectra {
 public:
  /// `place_of`: where a channel's field begins in a member's numbers. `truth_channels`: those that
  /// DeviceTruth is to have; what is missing is appended. Errors: see DeviceScores.
  DeviceSpectra(const DeviceScoresArgs& args, const std::function<std::int64_t(const Channel&)>& place_of,
                ChannelSet& truth_channels, const kernels::Stream& stream);

  void queue(const DeviceMembers& members, const DeviceTruth& truth, const kernels::Stream& stream);
  /// After the stream has been waited for.
  void collect(std::size_t lead, InitTimeSums& sums) const;

 private:
  /// A channel of a quantity.
  struct Component {
    std::int64_t place;  ///< where it begins in a member's numbers
    std::size_t truth;   ///< its place among the truth's channels
  };
  /// Its components, one or those of u and v, and where its numbers begin among the results.
  struct Quantity {
    std::vector<Component> components;
    std::size_t zonal = 0;   ///< [components, F, bands, K]
    std::size_t degree = 0;  ///< [F, degrees], of winds [2 (rotational, divergent), F, degrees]
  };

  void load_harmonics(const DegreeSpectra& spectra, const kernels::Stream& stream);
  std::size_t place_results();
  void queue_waves(const Component& component, std::size_t which, const DeviceMembers& members,
                   const float* truth, const kernels::Stream& stream);
  void queue_harmonics(const Quantity& quantity, const kernels::Stream& stream);
  void collect_zonal(std::size_t lead, std::size_t q, InitTimeSums& sums) const;
  void collect_degrees(std::size_t lead, const Quantity& quantity, std::size_t& next,
                       InitTimeSums& sums) const;
  std::size_t fields() const { return static_cast<std::size_t>(waves_args_.fields()); }
  std::size_t degrees() const { return by_degree_ ? shape_.lmax + 1 : 0; }

  std::vector<Quantity> quantities_;
  std::vector<double> band_weight_;  ///< of the latitudes of a band, added up
  std::size_t wavenumbers_;
  bool by_degree_;
  kernels::HarmonicShape shape_;
  kernels::MatrixProducts products_;
  kernels::DeviceWavesArgs waves_args_;
  kernels::DeviceZonalSpectrumArgs zonal_args_;
  kernels::DeviceScalarHarmonicsArgs scalar_args_;
  kernels::DeviceVectorHarmonicsArgs vector_args_;
  kernels::DeviceMemory wave_table_, band_weights_, scalar_, slope_, turning_;
  kernels::DeviceMemory rows_, waves_[2], harmonic_rows_, coefficients_;  // workspaces

  Transfer<double> results_;  ///< of all quantities
};

}  // namespace mosaic::eval

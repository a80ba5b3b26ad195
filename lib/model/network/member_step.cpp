#include "model/network/member_step.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "base/error.hpp"
#include "model/network/layout.hpp"
#include "model/network/loading.hpp"

namespace mosaic {

using at::Tensor;

MemberStep::MemberStep(Network network, Normalisation normalisation, const LatLonGrid& grid)
    : network_(std::move(network)),
      normalisation_(std::move(normalisation)),
      latitudes_(static_cast<std::int64_t>(grid.latitude.size())),
      longitudes_(static_cast<std::int64_t>(grid.longitude.size())) {}

void MemberStep::advance(std::span<float> history, std::span<const float> noise,
                         const TimePhases& phases) const {
  const c10::InferenceMode inference;
  const std::int64_t count = network_.config().history, channels = network_.config().channels;
  const std::size_t state = history.size() / static_cast<std::size_t>(count);
  require(static_cast<std::int64_t>(state) == channels * latitudes_ * longitudes_,
          "member step: a history of {} values is not {} states of {} x {} x {}", history.size(), count,
          channels, latitudes_, longitudes_);
  const Tensor states = at::from_blob(history.data(), {count, channels, latitudes_, longitudes_});
  const Tensor points = points_from_states((states - normalisation_.mean) / normalisation_.deviation);
  const auto time = time_features(phases);
  const Tensor input = at::cat({points.reshape({points.size(0), -1}), network_.tables().static_columns,
                                tensor_from(time, {1, 4}).expand({points.size(0), 4})},
                               1);
  const Tensor draw =
      noise.empty() ? Tensor() : tensor_from(noise, {static_cast<std::int64_t>(noise.size())});
  const Tensor next = state_from_points(network_.forward(input, draw), latitudes_);
  std::copy(history.begin() + static_cast<std::ptrdiff_t>(state), history.end(), history.begin());
  states[count - 1].copy_(next * normalisation_.deviation + normalisation_.mean);
}

}  // namespace mosaic

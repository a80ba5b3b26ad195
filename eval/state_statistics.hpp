#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "fields/channel.hpp"
#include "parallel/comm.hpp"
#include "stores/field_store.hpp"

namespace mosaic::eval {

/// Number, mean and sum of squared deviations of a sample; parts of a sample are merged without loss.
struct Moments {
  double count = 0.0;
  double mean = 0.0;
  double squares = 0.0;

  /// Two passes over the values that are not NaN, in their order.
  static Moments of(std::span<const float> values);
  /// x - y where neither is NaN, in double.
  static Moments of_difference(std::span<const float> x, std::span<const float> y);

  /// Source: Chan, Golub, LeVeque (1983), doi:10.1080/00031305.1983.10483115.
  void merge(const Moments& other);
  /// Of the population; NaN of none. sqrt(squares / count)
  double deviation() const;
};

struct StateStatisticsRequest {
  std::string input;
  FieldStoreOptions options;
  std::optional<Time> first;  ///< inclusive; default: all times
  std::optional<Time> last;
  ChannelSet channels;           ///< empty: mosaic_channels() if the store has all of them, else all it has
  std::optional<Duration> step;  ///< of the differences; none: no differences
};

/// Statistics of a store, channel by channel.
struct StateStatistics {
  ChannelSet channels;
  std::vector<Moments> state;     ///< of x(t) over all times and points of the grid, each with the weight 1
  std::vector<Moments> residual;  ///< of x(t + step) - x(t) over all times where both are there; may be empty
  std::size_t times = 0;
  std::size_t differences = 0;  ///< times t with t + step, not across a seam of a simulated store
};

/// One pass over the store, times spread over ranks; the published normalisation statistics are of this kind
/// (points of the grid count alike, whatever their area). The same bits for any number of ranks: blocks of
/// times of a fixed size are merged in the order of time. Errors: those of open_field_store() and
/// FieldStore::read(); missing_input for absent channels and times. Collective.
StateStatistics compute_state_statistics(const StateStatisticsRequest& request, const Comm& comm);

}  // namespace mosaic::eval

#pragma once

#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "forecast/climatology_fields.hpp"
#include "forecast/evaluation.hpp"

namespace mosaic {

/// What is scored at one initial time and lead time.
struct LeadFields {
  std::vector<float> forecast;  ///< [M, C, lat, lon] of the scored channels
  State truth;                  ///< the same channels
  std::optional<eval::ClimatologyFields> climatology = {};
};

/// Reads the fields of one lead time on a thread of its own while the caller scores those of another. One
/// request at a time; nobody else reads the stores of the setup between request() and take() or drop().
class EvaluationReader {
 public:
  /// `setup` must outlive this.
  explicit EvaluationReader(const EvaluationSetup& setup);

  /// Starts reading, and forms the derived channels. Errors: internal if a request is under way.
  void request(Time initial_time, std::size_t lead);
  bool pending() const { return fields_.valid(); }
  /// Waits. Errors: those of the stores, a problem of the file system as an Error; internal if nothing was
  /// requested.
  LeadFields take();
  /// Waits and forgets what was requested, errors included. Does nothing if there is no request.
  void drop();

  /// That all reading so far took, waited for or not. Not while a request is under way. [s]
  double seconds() const { return seconds_; }

 private:
  LeadFields read(Time initial_time, std::size_t lead);

  const EvaluationSetup& setup_;
  std::shared_ptr<const ChannelSet> channels_;
  DerivedChannels forecast_channels_;
  DerivedChannels truth_channels_;
  std::optional<ClimatologyFieldsReader> climatology_;
  double seconds_ = 0;
  std::future<LeadFields> fields_;  // last: its destructor waits for the thread, which uses the others
};

/// What the fields of two lead times take at most, one being scored and one being read; chunks that stores
/// keep come on top. [bytes]
std::size_t bytes_of_fields(const EvaluationSetup& setup);

}  // namespace mosaic

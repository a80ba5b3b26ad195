#pragma once

#include <future>
#include <memory>
#include <vector>

#include "stores/field_store.hpp"

namespace mosaic {

/// Reads the states of the next initial time on a thread of its own while the caller computes. One request at
/// a time; the store must not be read by others between request() and take().
class ReadAhead {
 public:
  explicit ReadAhead(FieldStore& store) : store_(store) {}

  /// Starts reading `channels` at `times`. Errors: internal if a request is under way.
  void request(std::vector<Time> times, std::shared_ptr<const ChannelSet> channels);
  bool pending() const { return states_.valid(); }
  /// Waits; the states in the order of the times. Rethrows what the store threw, a problem of the file system
  /// as an Error (io_error). Errors: internal if nothing was requested.
  std::vector<State> take();

 private:
  FieldStore& store_;
  std::future<std::vector<State>> states_;  // its destructor waits for the thread
};

}  // namespace mosaic

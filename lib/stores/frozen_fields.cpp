#include "stores/frozen_fields.hpp"

#include <utility>

#include "base/error.hpp"
#include "base/files.hpp"

namespace mosaic {

FrozenFields::FrozenFields(std::unique_ptr<FieldStore> store) : FieldStore(*store), store_(std::move(store)) {
  require(store_->times().size() == 1, ExitCode::corrupt_input,
          "{}: frozen_state needs a store with one time, this one has {}; switch frozen_state off", path(),
          store_->times().size());
  identity_ = sha256_of_text("frozen_state " + store_->identity());
}

State FrozenFields::read(Time time, const std::shared_ptr<const ChannelSet>& channels) {
  State state = store_->read(store_->times().front(), channels);
  state.time = time;
  return state;
}

}  // namespace mosaic

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "stores/field_store.hpp"

namespace mosaic {

/// A store with one time whose state answers for every time (FieldStoreOptions::frozen_state).
class FrozenFields : public FieldStore {
 public:
  /// Errors: corrupt_input if the store does not have exactly one time.
  explicit FrozenFields(std::unique_ptr<FieldStore> store);

  bool has_time(Time) const override { return true; }
  bool has(const Channel& channel) const override { return store_->has(channel); }
  StoreContents contents() const override { return store_->contents(); }
  /// The stored state under the time that was asked for.
  State read(Time time, const std::shared_ptr<const ChannelSet>& channels) override;
  std::vector<float> read_static(const std::string& variable) override {
    return store_->read_static(variable);
  }

 private:
  std::unique_ptr<FieldStore> store_;
};

}  // namespace mosaic

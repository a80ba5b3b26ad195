#include "stores/box_cache.hpp"

#include <algorithm>
#include <utility>

namespace mosaic {

BoxCache::Values BoxCache::find(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return nullptr;
  }
  found->second.last_use = ++uses_;
  return found->second.values;
}

void BoxCache::keep(const Key& key, Values values) {
  const std::size_t size = values->size() * sizeof(float);
  const std::lock_guard lock(mutex_);
  if (size > limit_ || entries_.contains(key)) {
    return;
  }
  while (bytes_ + size > limit_) {
    const auto oldest = std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
      return a.second.last_use < b.second.last_use;
    });
    bytes_ -= oldest->second.values->size() * sizeof(float);
    entries_.erase(oldest);
  }
  bytes_ += size;
  entries_.emplace(key, Entry{std::move(values), ++uses_});
}

}  // namespace mosaic

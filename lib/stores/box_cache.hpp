#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mosaic {

/// Decoded boxes of arrays, at most `limit` bytes of them; what was not used for the longest time goes first.
/// All functions may be called from several threads.
class BoxCache {
 public:
  struct Key {
    const void* file = nullptr;
    std::string array;
    std::vector<std::size_t> start;
    std::vector<std::size_t> count;

    friend auto operator<=>(const Key&, const Key&) = default;
  };
  using Values = std::shared_ptr<const std::vector<float>>;

  explicit BoxCache(std::size_t limit) : limit_(limit) {}

  std::size_t limit() const { return limit_; }
  /// nullptr if it is not there.
  Values find(const Key& key);
  /// Does nothing for values larger than the limit.
  void keep(const Key& key, Values values);

 private:
  struct Entry {
    Values values;
    std::uint64_t last_use = 0;
  };

  std::mutex mutex_;
  std::map<Key, Entry> entries_;
  std::size_t limit_;
  std::size_t bytes_ = 0;
  std::uint64_t uses_ = 0;
};

}  // namespace mosaic

#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "tensor_samples.hpp"

namespace mosaic::test::pickle {

/// Pickle fragments in protocol 2, as bytes.
inline std::string opcode(char code, const std::string& argument) {
  return std::string(1, code).append(argument);
}
inline std::string text(const std::string& value) {
  return opcode('X', bytes_of(static_cast<std::uint32_t>(value.size())) + value);
}
inline std::string integer(std::int32_t value) { return opcode('J', bytes_of(value)); }
inline std::string name(const std::string& module, const std::string& name) {
  return opcode('c', module + "\n" + name + "\n");
}
inline std::string tuple(const std::vector<std::string>& items) {
  std::string out = "(";
  for (const auto& item : items) {
    out += item;
  }
  return out + "t";
}
inline std::string integers(const std::vector<int>& values) {
  std::vector<std::string> items;
  std::ranges::transform(values, std::back_inserter(items), integer);
  return tuple(items);
}
inline std::string dict(const std::vector<std::string>& keys_and_values) {
  std::string out = "}(";
  for (const auto& item : keys_and_values) {
    out += item;
  }
  return out + "u";
}
inline std::string storage(const std::string& type, const std::string& key, int items) {
  return tuple({text("storage"), name("torch", type), text(key), text("cuda:0"), integer(items)}) + "Q";
}
inline std::string ordered_dict() { return name("collections", "OrderedDict") + ")R"; }
inline std::string tensor(const std::string& storage, int offset, const std::vector<int>& shape,
                          const std::vector<int>& stride) {
  return name("torch._utils", "_rebuild_tensor_v2") +
         tuple({storage, integer(offset), integers(shape), integers(stride), "\x89", ordered_dict()}) + "R";
}
inline std::string parameter(const std::string& tensor) {
  return name("torch._utils", "_rebuild_parameter") + tuple({tensor, "\x88", ordered_dict()}) + "R";
}
inline std::string foreign_object() {
  return name("os", "system") + tuple({text("touch executed")}) + "R" + dict({text("state"), integer(1)}) +
         "b";
}

/// Storage "0": floats 0 to 11; storage "1": integers 5, 6.
inline std::vector<ZipItem> storages() {
  std::vector<float> values(12);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i);
  }
  return {{"archive/data/0", bytes_of_all(values)}, {"archive/data/1", bytes_of_all<std::int64_t>({5, 6})}};
}

inline std::string checkpoint(const std::string& pickle, std::vector<ZipItem> items = storages(),
                              const std::string& byte_order = "little", ZipKind kind = ZipKind::stored) {
  items.insert(items.begin(), {"archive/data.pkl", pickle});
  items.push_back({"archive/byteorder", byte_order});
  items.push_back({"archive/version", "3\n"});
  return zip_bytes(items, kind);
}

inline std::string floats(const std::vector<int>& shape, const std::vector<int>& stride, int offset = 0) {
  return tensor(storage("FloatStorage", "0", 12), offset, shape, stride);
}

/// What a training script saves: the model among things a strict reader does not know.
inline std::string training_pickle() {
  const std::string model =
      ordered_dict() + "q\x05(" + text("model.weight") + parameter(floats({3, 4}, {4, 1})) +
      text("model.part") + floats({2, 2}, {4, 1}, 5) + text("model.transposed") + floats({4, 3}, {1, 4}) +
      text("model.count") + tensor(storage("LongStorage", "1", 2), 1, {}, {}) + text("model.extra") +
      foreign_object() + "u" + dict({text("_metadata"), ordered_dict()}) + "b";
  return "\x80\x02" +
         dict({text("epoch"), integer(12), text("best"), foreign_object(), text("model_state_dict"), model,
               text("again"), "h\x05", text("history"), "](N\x88G" + std::string(8, '\0') + "e"}) +
         ".";
}

}  // namespace mosaic::test::pickle

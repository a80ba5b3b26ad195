#include "stores/pt.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "stores/tensor_table.hpp"
#include "stores/torch_pickle.hpp"

namespace mosaic {

namespace {

constexpr std::string_view pickle_name = "/data.pkl";

/// The name of the only data.pkl, or empty.
std::string find_pickle(const ZipArchive& archive) {
  std::string found;
  for (const auto& [name, entry] : archive.entries()) {
    if (name.ends_with(pickle_name)) {
      require(found.empty(), ExitCode::corrupt_input, "{}: holds both {} and {}", archive.path(), found,
              name);
      found = name;
    }
  }
  return found;
}

std::optional<TensorType> storage_type(std::string_view global) {
  constexpr std::pair<std::string_view, TensorType> types[] = {
      {"torch HalfStorage", TensorType::float16},  {"torch BFloat16Storage", TensorType::bfloat16},
      {"torch FloatStorage", TensorType::float32}, {"torch DoubleStorage", TensorType::float64},
      {"torch CharStorage", TensorType::int8},     {"torch ByteStorage", TensorType::uint8},
      {"torch ShortStorage", TensorType::int16},   {"torch IntStorage", TensorType::int32},
      {"torch LongStorage", TensorType::int64},    {"torch BoolStorage", TensorType::boolean}};
  for (const auto& [name, type] : types) {
    if (global == name) {
      return type;
    }
  }
  return std::nullopt;
}

struct Storage {
  TensorType type = TensorType::float32;
  std::span<const std::byte> bytes;  ///< little endian

  std::size_t elements() const { return bytes.size() / item_size(type); }
};

/// Where a tensor lies in its storage, in items.
struct Layout {
  std::size_t offset = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> stride;
};

bool is_contiguous(const Layout& layout) {
  std::int64_t expected = 1;
  for (std::size_t d = layout.shape.size(); d-- > 0;) {
    if (layout.shape[d] != 1 && layout.stride[d] != expected) {
      return false;
    }
    expected *= layout.shape[d];
  }
  return true;
}

/// The last item that is touched, or nothing if that overflows. No size is 0.
std::optional<std::size_t> last_item(const Layout& layout) {
  std::size_t last = layout.offset;
  for (std::size_t d = 0; d < layout.shape.size(); ++d) {
    std::size_t reach = 0;
    if (__builtin_mul_overflow(static_cast<std::size_t>(layout.shape[d] - 1),
                               static_cast<std::size_t>(layout.stride[d]), &reach) ||
        __builtin_add_overflow(last, reach, &last)) {
      return std::nullopt;
    }
  }
  return last;
}

std::vector<std::byte> gather(std::span<const std::byte> storage, const Layout& layout, std::size_t item,
                              std::size_t bytes) {
  std::vector<std::byte> out(bytes);
  std::vector<std::int64_t> index(layout.shape.size(), 0);
  std::size_t from = layout.offset;
  for (std::size_t to = 0; to < bytes; to += item) {
    std::memcpy(out.data() + to, storage.data() + from * item, item);
    for (std::size_t d = layout.shape.size(); d-- > 0;) {
      from += static_cast<std::size_t>(layout.stride[d]);
      if (++index[d] < layout.shape[d]) {
        break;
      }
      from -= static_cast<std::size_t>(layout.stride[d] * layout.shape[d]);
      index[d] = 0;
    }
  }
  return out;
}

class PtReader {
 public:
  PtReader(const std::shared_ptr<const MappedFile>& file, const ZipArchive& archive)
      : archive_(archive), table_(std::make_unique<TensorTable>(file)) {
    const std::string name = find_pickle(archive);
    folder_ = name.substr(0, name.size() - pickle_name.size());
    swap_ = read_byte_order();
    std::vector<std::byte> buffer;
    tree_ = read_pickle(archive.path() + ": entry " + name, archive.read(*archive.find(name), buffer));
  }

  std::unique_ptr<TensorFile> read() {
    const PickleNode* dict = &tree_.node(tree_.root);
    require(dict->kind == PickleKind::dict, ExitCode::corrupt_input,
            "{}: holds {}, but a dict of tensors is expected (save model.state_dict())", path(),
            describe(tree_, *dict));
    if (const PickleNode* model = tree_.find(*dict, "model_state_dict")) {
      require(model->kind == PickleKind::dict, ExitCode::corrupt_input,
              "{}: model_state_dict is {}, but a dict is expected", path(), describe(tree_, *model));
      dict = model;
    }
    for (std::size_t i = 0; i < dict->children.size(); i += 2) {
      const PickleNode& key = tree_.child(*dict, i);
      if (key.kind == PickleKind::text) {
        add(key.text, tree_.child(*dict, i + 1));
      }
    }
    require(!table_->tensors().empty(), ExitCode::corrupt_input,
            "{}: has neither a model_state_dict nor tensors of its own", path());
    return std::move(table_);
  }

 private:
  const std::string& path() const { return archive_.path(); }

  /// True if the storages are big endian.
  bool read_byte_order() const {
    const ZipEntry* entry = archive_.find(folder_ + "/byteorder");
    if (entry == nullptr) {
      return false;
    }
    std::vector<std::byte> buffer;
    const auto text = as_text(archive_.read(*entry, buffer));
    require(text == "little" || text == "big", ExitCode::corrupt_input,
            "{}: entry {}: is neither little nor big", path(), entry->name);
    return text == "big";
  }

  bool is_call_of(const PickleNode& node, std::string_view global) const {
    return node.kind == PickleKind::call && tree_.child(node, 0).kind == PickleKind::global &&
           tree_.child(node, 0).text == global && tree_.child(node, 1).kind == PickleKind::tuple;
  }

  /// The arguments of the tensor's rebuild call, or nullptr if the node is no tensor.
  const PickleNode* tensor_arguments(const PickleNode& node) const {
    const PickleNode* call = &node;
    if (is_call_of(*call, "torch._utils _rebuild_parameter")) {
      const PickleNode& arguments = tree_.child(*call, 1);
      if (arguments.children.empty()) {
        return nullptr;
      }
      call = &tree_.child(arguments, 0);
    }
    return is_call_of(*call, "torch._utils _rebuild_tensor_v2") ? &tree_.child(*call, 1) : nullptr;
  }

  void add(const std::string& name, const PickleNode& node) {
    const PickleNode* arguments = tensor_arguments(node);
    if (arguments == nullptr) {
      table_->set_metadata(name, describe(tree_, node));
      return;
    }
    require(arguments->children.size() >= 4, ExitCode::corrupt_input,
            "{}: tensor {}: is rebuilt from {} values, expected storage, offset, shape, stride, ...", path(),
            name, arguments->children.size());
    const Storage& storage = find_storage(name, tree_.child(*arguments, 0));
    const Layout layout{static_cast<std::size_t>(integer(name, tree_.child(*arguments, 1))),
                        integers(name, tree_.child(*arguments, 2)),
                        integers(name, tree_.child(*arguments, 3))};
    table_->add(name, view(name, storage, layout));
  }

  std::int64_t integer(const std::string& name, const PickleNode& node) const {
    require(node.kind == PickleKind::integer && node.number >= 0, ExitCode::corrupt_input,
            "{}: tensor {}: offset, shape or stride holds {}, expected whole numbers >= 0", path(), name,
            describe(tree_, node));
    return node.number;
  }

  std::vector<std::int64_t> integers(const std::string& name, const PickleNode& node) const {
    require(node.kind == PickleKind::tuple && node.children.size() <= max_tensor_dimensions,
            ExitCode::corrupt_input, "{}: tensor {}: shape or stride is {}, expected a short tuple", path(),
            name, describe(tree_, node));
    std::vector<std::int64_t> values;
    for (const std::uint32_t index : node.children) {
      values.push_back(integer(name, tree_.node(index)));
    }
    return values;
  }

  /// The storage of a persistent id ('storage', type, key, location, items). It is read once.
  const Storage& find_storage(const std::string& name, const PickleNode& node) {
    const bool is_tuple = node.kind == PickleKind::persistent &&
                          tree_.child(node, 0).kind == PickleKind::tuple &&
                          tree_.child(node, 0).children.size() == 5;
    require(is_tuple, ExitCode::corrupt_input,
            "{}: tensor {}: its storage is {}, expected a torch storage id", path(), name,
            describe(tree_, node));
    const PickleNode& id = tree_.child(node, 0);
    const bool well_formed = tree_.child(id, 0).text == "storage" &&
                             tree_.child(id, 1).kind == PickleKind::global &&
                             tree_.child(id, 2).kind == PickleKind::text;
    require(well_formed, ExitCode::corrupt_input, "{}: tensor {}: its storage is not a torch storage id",
            path(), name);
    const auto type = storage_type(tree_.child(id, 1).text);
    require(type.has_value(), ExitCode::corrupt_input, "{}: tensor {}: storage type {} is not supported",
            path(), name, tree_.child(id, 1).text);
    const std::string& key = tree_.child(id, 2).text;
    auto found = storages_.find(key);
    if (found == storages_.end()) {
      found = storages_.emplace(key, read_storage(name, folder_ + "/data/" + key, *type)).first;
    }
    const Storage& storage = found->second;
    require(storage.type == *type &&
                integer(name, tree_.child(id, 4)) == static_cast<std::int64_t>(storage.elements()),
            ExitCode::corrupt_input,
            "{}: tensor {}: storage {} has {} items of {}, the pickle says otherwise", path(), name, key,
            storage.elements(), to_string(storage.type));
    return storage;
  }

  Storage read_storage(const std::string& name, const std::string& entry_name, TensorType type) {
    const ZipEntry* entry = archive_.find(entry_name);
    require(entry != nullptr, ExitCode::corrupt_input, "{}: tensor {}: entry {} is absent", path(), name,
            entry_name);
    std::vector<std::byte> buffer;
    auto bytes = archive_.read(*entry, buffer);
    require(bytes.size() % item_size(type) == 0, ExitCode::corrupt_input,
            "{}: entry {}: {} bytes are no whole number of {} items", path(), entry_name, bytes.size(),
            to_string(type));
    if (swap_ && !entry->deflated) {
      buffer.assign(bytes.begin(), bytes.end());
    }
    if (swap_) {
      swap_bytes(buffer, item_size(type));
    }
    if (!buffer.empty()) {
      bytes = table_->keep(std::move(buffer));
    }
    return {type, bytes};
  }

  TensorView view(const std::string& name, const Storage& storage, const Layout& layout) {
    const auto bytes = tensor_bytes(storage.type, layout.shape);
    require(bytes.has_value() && layout.stride.size() == layout.shape.size(), ExitCode::corrupt_input,
            "{}: tensor {}: its shape and stride are damaged", path(), name);
    if (*bytes == 0) {
      return {storage.type, layout.shape, {}};
    }
    const auto last = last_item(layout);
    require(last.has_value() && *last < storage.elements() && *bytes <= storage.bytes.size(),
            ExitCode::corrupt_input, "{}: tensor {}: reaches beyond its storage of {} items", path(), name,
            storage.elements());
    const std::size_t item = item_size(storage.type);
    if (is_contiguous(layout)) {
      return {storage.type, layout.shape, storage.bytes.subspan(layout.offset * item, *bytes)};
    }
    // Many strided tensors over one storage could ask for any amount of memory.
    copied_ += *bytes;
    require(copied_ <= copy_limit(), ExitCode::corrupt_input,
            "{}: tensor {}: strided tensors need more than 16 times the file's size", path(), name);
    return {storage.type, layout.shape, table_->keep(gather(storage.bytes, layout, item, *bytes))};
  }

  std::size_t copy_limit() const { return 16 * table_->mapped().size(); }

  const ZipArchive& archive_;
  std::unique_ptr<TensorTable> table_;
  PickleTree tree_;
  std::string folder_;
  bool swap_ = false;
  std::map<std::string, Storage> storages_;
  std::size_t copied_ = 0;
};

}  // namespace

bool is_torch_archive(const ZipArchive& archive) { return !find_pickle(archive).empty(); }

std::unique_ptr<TensorFile> read_pt(const std::shared_ptr<const MappedFile>& file,
                                    const ZipArchive& archive) {
  return PtReader(file, archive).read();
}

}  // namespace mosaic

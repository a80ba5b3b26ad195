#include "stores/torch_pickle.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/error.hpp"
#include "stores/tensor_table.hpp"

namespace mosaic {

namespace {

constexpr std::size_t max_nodes = 4'000'000;
constexpr std::size_t max_line = 1024;  ///< longest module or class name

/// Opcodes of protocol 0 to 2 that CPython's pickler writes in protocol 2. Source: CPython
/// Lib/pickletools.py.
enum class Opcode : std::uint8_t {
  mark = '(',
  stop = '.',
  pop = '0',
  pop_mark = '1',
  dup = '2',
  binfloat = 'G',
  binint = 'J',
  binint1 = 'K',
  binint2 = 'M',
  none = 'N',
  binpersid = 'Q',
  reduce = 'R',
  binstring = 'T',
  short_binstring = 'U',
  binunicode = 'X',
  empty_list = ']',
  append = 'a',
  build = 'b',
  global = 'c',
  appends = 'e',
  binget = 'h',
  long_binget = 'j',
  binput = 'q',
  long_binput = 'r',
  setitem = 's',
  tuple = 't',
  setitems = 'u',
  empty_dict = '}',
  empty_tuple = ')',
  proto = 0x80,
  newobj = 0x81,
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  newtrue = 0x88,
  newfalse = 0x89,
  long1 = 0x8a,
  long4 = 0x8b,
};

class PickleReader {
 public:
  PickleReader(const std::string& place, std::span<const std::byte> bytes) : place_(place), bytes_(bytes) {}

  PickleTree read() {
    while (true) {
      const auto opcode = static_cast<Opcode>(take<std::uint8_t>());
      if (opcode == Opcode::stop) {
        tree_.root = pop();
        return std::move(tree_);
      }
      if (!read_constant(opcode) && !read_memo(opcode) && !read_collection(opcode) && !read_object(opcode)) {
        refuse(fmt::format("opcode 0x{:02x} is not one that torch.save writes (protocol 2)",
                           static_cast<unsigned>(opcode)));
      }
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& reason) const {
    fail(ExitCode::corrupt_input, "{}: pickle, byte {}: {}", place_, position_, reason);
  }

  // -- input

  std::span<const std::byte> take_bytes(std::size_t count) {
    if (count > bytes_.size() - position_) {
      refuse("it ends within a value");
    }
    position_ += count;
    return bytes_.subspan(position_ - count, count);
  }
  template <class T>
  T take() {
    return load_little<T>(take_bytes(sizeof(T)), 0);
  }
  std::string take_text(std::size_t count) { return std::string(as_text(take_bytes(count))); }
  std::string take_line() {
    const auto rest = as_text(bytes_.subspan(position_)).substr(0, max_line);
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) {
      refuse("a name without an end");
    }
    position_ += end + 1;
    return std::string(rest.substr(0, end));
  }

  // -- stack

  void push(std::uint32_t index) { stack_.push_back(index); }
  void push(PickleNode node) {
    if (tree_.nodes.size() >= max_nodes) {
      refuse("more than 4 million values");
    }
    push(static_cast<std::uint32_t>(tree_.nodes.size()));
    tree_.nodes.push_back(std::move(node));
  }
  std::uint32_t pop() {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= floor) {
      refuse("it takes a value from an empty stack");
    }
    const std::uint32_t index = stack_.back();
    stack_.pop_back();
    return index;
  }
  std::uint32_t top() {
    const std::uint32_t index = pop();
    push(index);
    return index;
  }
  std::vector<std::uint32_t> pop_many(std::size_t count) {
    std::vector<std::uint32_t> values(count);
    for (std::size_t i = count; i-- > 0;) {
      values[i] = pop();
    }
    return values;
  }
  std::vector<std::uint32_t> pop_to_mark() {
    if (marks_.empty()) {
      refuse("it needs a mark that was not set");
    }
    auto values = pop_many(stack_.size() - marks_.back());
    marks_.pop_back();
    return values;
  }

  // -- groups of opcodes; each returns false for an opcode of another group

  bool read_constant(Opcode opcode) {
    switch (opcode) {
      case Opcode::none:
        push(PickleNode{});
        return true;
      case Opcode::newtrue:
      case Opcode::newfalse:
        push({PickleKind::boolean, opcode == Opcode::newtrue, {}, {}});
        return true;
      case Opcode::binint:
        push_integer(take<std::int32_t>());
        return true;
      case Opcode::binint1:
        push_integer(take<std::uint8_t>());
        return true;
      case Opcode::binint2:
        push_integer(take<std::uint16_t>());
        return true;
      case Opcode::long1:
        push_long(take<std::uint8_t>());
        return true;
      case Opcode::long4:
        push_long(take<std::uint32_t>());
        return true;
      case Opcode::binfloat:
        take_bytes(8);
        push({PickleKind::opaque, 0, "a float", {}});
        return true;
      case Opcode::binunicode:
        push({PickleKind::text, 0, take_text(take<std::uint32_t>()), {}});
        return true;
      case Opcode::short_binstring:
        push({PickleKind::text, 0, take_text(take<std::uint8_t>()), {}});
        return true;
      case Opcode::binstring:
        push({PickleKind::text, 0, take_text(take<std::uint32_t>()), {}});
        return true;
      default:
        return false;
    }
  }

  bool read_memo(Opcode opcode) {
    switch (opcode) {
      case Opcode::proto:
        if (const int version = take<std::uint8_t>(); version != 2) {
          refuse(fmt::format(
              "protocol {}; torch.save must have written it with pickle_protocol=2, the default", version));
        }
        return true;
      case Opcode::binput:
        memo_[take<std::uint8_t>()] = top();
        return true;
      case Opcode::long_binput:
        memo_[take<std::uint32_t>()] = top();
        return true;
      case Opcode::binget:
        push_memo(take<std::uint8_t>());
        return true;
      case Opcode::long_binget:
        push_memo(take<std::uint32_t>());
        return true;
      case Opcode::mark:
        marks_.push_back(stack_.size());
        return true;
      case Opcode::pop:
        pop();
        return true;
      case Opcode::pop_mark:
        pop_to_mark();
        return true;
      case Opcode::dup:
        push(top());
        return true;
      default:
        return false;
    }
  }

  bool read_collection(Opcode opcode) {
    switch (opcode) {
      case Opcode::empty_tuple:
        push({PickleKind::tuple, 0, {}, {}});
        return true;
      case Opcode::tuple1:
      case Opcode::tuple2:
      case Opcode::tuple3:
        push({PickleKind::tuple, 0, {}, pop_many(static_cast<std::size_t>(opcode) - 0x84)});
        return true;
      case Opcode::tuple:
        push({PickleKind::tuple, 0, {}, pop_to_mark()});
        return true;
      case Opcode::empty_list:
        push({PickleKind::list, 0, {}, {}});
        return true;
      case Opcode::append:
        extend(pop_many(1), PickleKind::list);
        return true;
      case Opcode::appends:
        extend(pop_to_mark(), PickleKind::list);
        return true;
      case Opcode::empty_dict:
        push({PickleKind::dict, 0, {}, {}});
        return true;
      case Opcode::setitem:
        extend(pop_many(2), PickleKind::dict);
        return true;
      case Opcode::setitems:
        extend(pop_to_mark(), PickleKind::dict);
        return true;
      default:
        return false;
    }
  }

  bool read_object(Opcode opcode) {
    switch (opcode) {
      case Opcode::global: {
        const std::string module = take_line();
        push({PickleKind::global, 0, module + " " + take_line(), {}});
        return true;
      }
      case Opcode::reduce:
        push_call(pop_many(2));
        return true;
      case Opcode::newobj:
        push({PickleKind::call, 0, {}, pop_many(2)});
        return true;
      case Opcode::build:  // the state (attributes, _metadata of a state dict) is dropped
        pop();
        top();
        return true;
      case Opcode::binpersid:
        push({PickleKind::persistent, 0, {}, pop_many(1)});
        return true;
      default:
        return false;
    }
  }

  // -- values

  void push_integer(std::int64_t value) { push({PickleKind::integer, value, {}, {}}); }

  /// A two's complement integer of `size` bytes; beyond 64 bits it is opaque.
  void push_long(std::size_t size) {
    const auto bytes = take_bytes(size);
    if (size > 8) {
      push({PickleKind::opaque, 0, "an integer of more than 64 bits", {}});
      return;
    }
    const bool negative = size > 0 && (bytes[size - 1] & std::byte{0x80}) != std::byte{0};
    std::int64_t value = negative ? -1 : 0;
    std::memcpy(&value, bytes.data(), size);
    push_integer(value);
  }

  void push_memo(std::uint32_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) {
      refuse(fmt::format("memo {} was not set", key));
    }
    push(found->second);
  }

  void push_call(std::vector<std::uint32_t> parts) {
    const auto& callable = tree_.nodes[parts[0]];
    const auto& arguments = tree_.nodes[parts[1]];
    const bool is_dict = callable.kind == PickleKind::global && callable.text == "collections OrderedDict" &&
                         arguments.kind == PickleKind::tuple && arguments.children.empty();
    if (is_dict) {
      push({PickleKind::dict, 0, {}, {}});
    } else {
      push({PickleKind::call, 0, {}, std::move(parts)});
    }
  }

  /// Appends to the collection on top of the stack; what is given to a call's result is dropped with it.
  void extend(const std::vector<std::uint32_t>& values, PickleKind kind) {
    auto& target = tree_.nodes[top()];
    if (target.kind == PickleKind::call) {
      return;
    }
    if (target.kind != kind || (kind == PickleKind::dict && values.size() % 2 != 0)) {
      refuse("items are added to something that cannot take them");
    }
    target.children.insert(target.children.end(), values.begin(), values.end());
  }

  const std::string& place_;
  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
  PickleTree tree_;
  std::vector<std::uint32_t> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, std::uint32_t> memo_;
};

}  // namespace

const PickleNode* PickleTree::find(const PickleNode& dict, const std::string& key) const {
  const PickleNode* value = nullptr;
  for (std::size_t i = 0; i + 1 < dict.children.size(); i += 2) {
    const PickleNode& candidate = child(dict, i);
    if (candidate.kind == PickleKind::text && candidate.text == key) {
      value = &child(dict, i + 1);
    }
  }
  return value;
}

std::string describe(const PickleTree& tree, const PickleNode& node) {
  const auto dotted = [](std::string name) {
    std::ranges::replace(name, ' ', '.');
    return name;
  };
  switch (node.kind) {
    case PickleKind::none:
      return "None";
    case PickleKind::boolean:
      return "a boolean";
    case PickleKind::integer:
      return "an integer";
    case PickleKind::text:
      return "text";
    case PickleKind::tuple:
      return "a tuple";
    case PickleKind::list:
      return "a list";
    case PickleKind::dict:
      return "a dict";
    case PickleKind::global:
      return "the name " + dotted(node.text);
    case PickleKind::call: {
      const auto& callable = tree.child(node, 0);
      return callable.kind == PickleKind::global ? "an object of " + dotted(callable.text) : "an object";
    }
    case PickleKind::persistent:
      return "a storage";
    case PickleKind::opaque:
      return node.text;
  }
  fail(ExitCode::internal, "unknown pickle kind {}", static_cast<int>(node.kind));
}

PickleTree read_pickle(const std::string& place, std::span<const std::byte> bytes) {
  return PickleReader(place, bytes).read();
}

}  // namespace mosaic

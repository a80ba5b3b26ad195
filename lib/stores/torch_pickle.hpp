#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mosaic {

enum class PickleKind {
  none,
  boolean,     ///< number
  integer,     ///< number
  text,        ///< text
  tuple,       ///< children
  list,        ///< children
  dict,        ///< children: key, value, key, value, ... (also collections.OrderedDict)
  global,      ///< text: "module name"
  call,        ///< children: callable, arguments; never called
  persistent,  ///< child: the id
  opaque,      ///< text: what it is
};

/// A value of a pickle. Children are indices into PickleTree::nodes: a pickle can share and nest values at
/// will, so nothing here is recursive.
struct PickleNode {
  PickleKind kind = PickleKind::none;
  std::int64_t number = 0;
  std::string text;
  std::vector<std::uint32_t> children;
};

struct PickleTree {
  std::vector<PickleNode> nodes;
  std::uint32_t root = 0;

  const PickleNode& node(std::uint32_t index) const { return nodes[index]; }
  /// Child `position` of `parent`; the caller has checked that it exists.
  const PickleNode& child(const PickleNode& parent, std::size_t position) const {
    return nodes[parent.children[position]];
  }
  /// The value of a text key (the last one set), or nullptr.
  const PickleNode* find(const PickleNode& dict, const std::string& key) const;
};

/// What a node is, in words for a message: "a tuple", "a call of numpy.dtype".
std::string describe(const PickleTree& tree, const PickleNode& node);

/// Reads a pickle of protocol 2 (what torch.save writes) into a tree. Nothing is imported, called or set: a
/// global stays a name, a call stays a pair, state set on an object is dropped. Opcodes outside a whitelist
/// and more than 4 million values are refused. `place` names file and entry in messages. Errors:
/// corrupt_input.
PickleTree read_pickle(const std::string& place, std::span<const std::byte> bytes);

}  // namespace mosaic

#include <fmt/format.h>

#include <algorithm>

#include "base/config.hpp"

namespace mosaic {

namespace {

/// A section or a key of the printed tree; sections stand where their first key was declared.
struct Branch {
  std::string name;
  const ConfigKey* key = nullptr;
  std::vector<Branch> children;
};

void insert(Branch& parent, std::string_view path, const ConfigKey& key) {
  const std::size_t dot = path.find('.');
  const std::string name(path.substr(0, dot));
  if (dot == std::string_view::npos) {
    parent.children.push_back({name, &key, {}});
    return;
  }
  auto found = std::find_if(parent.children.begin(), parent.children.end(),
                            [&](const Branch& child) { return child.name == name; });
  if (found == parent.children.end()) {
    found = parent.children.insert(found, {name, nullptr, {}});
  }
  insert(*found, path.substr(dot + 1), key);
}

/// write_key gives the lines of one key.
void write_branch(const Branch& branch, const std::string& indent,
                  const std::function<std::string(const Branch&, const std::string& indent)>& write_key,
                  std::string& yaml) {
  for (const Branch& child : branch.children) {
    if (child.key != nullptr) {
      yaml += write_key(child, indent);
    } else {
      yaml += fmt::format("{}{}:\n", indent, child.name);
      write_branch(child, indent + "  ", write_key, yaml);
    }
  }
}

}  // namespace

std::string ConfigSchema::to_yaml(Comments comments,
                                  const std::function<std::string(const ConfigKey&)>& value) const {
  Branch root;
  for (const ConfigKey& key : keys_) {
    insert(root, key.path_, key);
  }
  std::string yaml;
  const auto write_key = [&](const Branch& branch, const std::string& indent) {
    const ConfigKey& key = *branch.key;
    const std::string line = fmt::format("{}{}: {}\n", indent, branch.name, value(key));
    return comments == Comments::explanations
               ? fmt::format("{}# {} ({})\n{}", indent, key.explanation_, key.describe(), line)
               : line;
  };
  write_branch(root, "", write_key, yaml);
  return yaml;
}

std::map<std::string, std::string> ConfigSchema::values() const {
  std::map<std::string, std::string> found;
  for (const ConfigKey& key : keys_) {
    found[key.path_] = key.print_();
  }
  return found;
}

std::string ConfigSchema::print() const {
  return to_yaml(Comments::none, [](const ConfigKey& key) { return key.print_(); });
}

std::string ConfigSchema::reference() const {
  return to_yaml(Comments::explanations, [](const ConfigKey& key) { return key.default_; });
}

}  // namespace mosaic

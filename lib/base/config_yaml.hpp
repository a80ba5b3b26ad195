#pragma once

#include <string>
#include <vector>

#include "base/config_values.hpp"

namespace mosaic {

/// What one place of a YAML text gives.
struct ConfigEntry {
  std::string path;         ///< dotted
  int line = 0;             ///< of the key, from 1
  bool is_section = false;  ///< a map: `value` is empty, its keys are entries of their own
  ConfigValue value;
};

struct ConfigYaml {
  struct Problem {
    int line = 0;
    std::string text;
  };
  std::vector<ConfigEntry> entries;  ///< in the order of the text
  std::vector<Problem> problems;
  bool complete = true;  ///< false: the text was not understood to its end
};

/// Flattens nested YAML maps of scalars and lists of scalars. Throws nothing for bad text: it is in
/// `problems`, and what stood before it is in `entries`. A second value for a path is a problem and no entry.
ConfigYaml read_config_yaml(const std::string& text);

}  // namespace mosaic

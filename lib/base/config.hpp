#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mosaic {

struct ConfigValue;

/// One key of a ConfigSchema. The functions return the key itself, to be chained where it is declared.
class ConfigKey {
 public:
  /// A value must be given.
  ConfigKey& required();
  /// Inclusive bounds of a number, of each number of a list, or of a Duration in seconds.
  ConfigKey& range(double lo, double hi);
  /// The only texts allowed, for a text or each text of a list.
  ConfigKey& choices(std::vector<std::string> allowed);

 private:
  friend class ConfigSchema;

  /// "whole number, 1 ... 100, required".
  std::string describe() const;
  std::string describe_range() const;
  /// Throws Error(bad_configuration) naming the first value that is out of range or not a choice.
  void check_limits(const std::vector<double>& numbers, const std::vector<std::string>& texts) const;

  std::string path_;
  std::string explanation_;
  std::string type_;
  std::string range_unit_;
  bool is_list_ = false;
  bool required_ = false;
  bool given_ = false;
  std::optional<std::pair<double, double>> range_;
  std::vector<std::string> choices_;
  std::string default_;  ///< as YAML
  /// Converts, checks the limits and stores; throws Error(bad_configuration) and stores nothing otherwise.
  std::function<void(const ConfigValue&)> assign_;
  std::function<std::string()> print_;  ///< the current value as YAML
};

/// The keys that a program knows, each bound to a variable, and the values read for them so far. Strict:
/// whatever is not understood is a problem, and check() reports all problems together. Not copyable: keys
/// refer to themselves.
///
///     ConfigSchema schema;
///     schema.key("ensemble.members", &options.members, "Members per initial time").range(1, 1000);
///     schema.read(read_text(path), path);
///     schema.set("ensemble.members=24", "--members");
///     schema.check();
class ConfigSchema {
 public:
  ConfigSchema() = default;
  ConfigSchema(const ConfigSchema&) = delete;
  ConfigSchema& operator=(const ConfigSchema&) = delete;

  /// Declares a key of nested YAML maps, `a.b` being b inside a. The value of *target now is the default;
  /// *target must outlive the schema. T: bool, int, std::int64_t, double, std::string,
  /// Duration, Time, std::vector of std::string, int, Duration, or std::optional of int, std::string,
  /// Duration, Time (null or absent = none). Errors: internal, if the path is taken or is a section.
  template <class T>
  ConfigKey& key(const std::string& dotted_path, T* target, const std::string& explanation);

  /// Takes the values of a YAML text; problems are kept for check(), naming `source_name` and the line.
  /// Refused: more than 1 MB, more than 16 levels, anchors, aliases, tags, several documents, lists of lists.
  void read(const std::string& yaml_text, const std::string& source_name);

  /// Takes one `path=value`; a list is `a,b` or `[a, b]`. A later value replaces an earlier one. Problems are
  /// kept for check(), naming `origin` (the flag).
  void set(const std::string& assignment, const std::string& origin);

  /// Errors: bad_configuration, with every problem found so far: syntax, unknown (with the nearest known
  /// name), duplicate, missing, mistyped, out of range, not a choice.
  void check() const;

  /// The complete effective configuration as YAML; read() gives the same values again.
  std::string print() const;

  /// Every key's dotted path with its effective value as YAML.
  std::map<std::string, std::string> values() const;

  /// Every key with its default, below `# explanation (type, range or choices, required)`.
  std::string reference() const;

 private:
  ConfigKey& add_key(const std::string& path, const std::string& explanation);
  ConfigKey* find_key(std::string_view path);
  bool is_section(std::string_view path) const;
  std::string nearest_name(std::string_view path) const;
  void take(const std::string& path, const ConfigValue& value, const std::string& origin);
  void take_section(const std::string& path, bool has_keys, const std::string& origin);
  void add_problem(const std::string& origin, const std::string& text);
  enum class Comments { none, explanations };
  std::string to_yaml(Comments comments, const std::function<std::string(const ConfigKey&)>& value) const;

  std::deque<ConfigKey> keys_;        // a deque: key() hands out references that must stay good
  std::vector<std::string> sources_;  // names of what was read
  std::vector<std::string> problems_;
  bool unreadable_ = false;  // a source could not be read to its end: missing keys would be noise
};

}  // namespace mosaic

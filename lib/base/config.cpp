#include "base/config.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/config_values.hpp"
#include "base/config_yaml.hpp"
#include "base/edit_distance.hpp"
#include "base/error.hpp"

namespace mosaic {

namespace {

/// How a variable of type T is made of scalars: one, none or one, any number.
template <class T>
struct Shape {
  using Item = T;
  static constexpr bool is_list = false;
  static constexpr bool may_be_null = false;
  static std::string type() { return ConfigType<T>::name(); }
  static T make(std::vector<Item> items) { return std::move(items.front()); }
  static std::vector<Item> items(const T& value) { return {value}; }
};

template <class I>
struct Shape<std::optional<I>> {
  using Item = I;
  static constexpr bool is_list = false;
  static constexpr bool may_be_null = true;
  static std::string type() { return ConfigType<I>::name() + " or null"; }
  static std::optional<I> make(std::vector<I> items) {
    return items.empty() ? std::nullopt : std::optional<I>(std::move(items.front()));
  }
  static std::vector<I> items(const std::optional<I>& value) {
    return value ? std::vector<I>{*value} : std::vector<I>{};
  }
};

template <class I>
struct Shape<std::vector<I>> {
  using Item = I;
  static constexpr bool is_list = true;
  static constexpr bool may_be_null = false;
  static std::string type() { return "list, each a " + ConfigType<I>::name(); }
  static std::vector<I> make(std::vector<I> items) { return items; }
  static std::vector<I> items(const std::vector<I>& value) { return value; }
};

template <class T>
std::vector<typename Shape<T>::Item> parse_items(const ConfigValue& value) {
  if (value.is_list != Shape<T>::is_list) {
    fail(ExitCode::bad_configuration, "{}",
         value.is_list ? "a list is given where one value belongs"
                       : "a list belongs here; write [a, b], or [] for none");
  }
  std::vector<typename Shape<T>::Item> items;
  for (const ConfigScalar& scalar : value.items) {
    if (!(scalar.null && Shape<T>::may_be_null)) {
      items.push_back(ConfigType<typename Shape<T>::Item>::parse(scalar));
    }
  }
  return items;
}

template <class T>
std::string print_value(const T& value) {
  std::vector<std::string> texts;
  for (const auto& item : Shape<T>::items(value)) {
    texts.push_back(ConfigType<typename Shape<T>::Item>::print(item));
  }
  if constexpr (Shape<T>::is_list) {
    return fmt::format("[{}]", fmt::join(texts, ", "));
  } else {
    return texts.empty() ? "null" : texts.front();
  }
}

std::string_view leaf(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

}  // namespace

ConfigKey& ConfigKey::required() {
  required_ = true;
  return *this;
}

ConfigKey& ConfigKey::range(double lo, double hi) {
  range_ = {lo, hi};
  return *this;
}

ConfigKey& ConfigKey::choices(std::vector<std::string> allowed) {
  choices_ = std::move(allowed);
  return *this;
}

std::string ConfigKey::describe_range() const {
  const auto [lo, hi] = *range_;
  if (std::isinf(hi)) {
    return fmt::format("at least {}{}", lo, range_unit_);
  }
  return std::isinf(lo) ? fmt::format("at most {}{}", hi, range_unit_)
                        : fmt::format("{} ... {}{}", lo, hi, range_unit_);
}

std::string ConfigKey::describe() const {
  std::string text = type_;
  if (range_) {
    text += ", " + describe_range();
  }
  if (!choices_.empty()) {
    text += fmt::format(", one of {}", fmt::join(choices_, " | "));
  }
  return required_ ? text + ", required" : text;
}

void ConfigKey::check_limits(const std::vector<double>& numbers,
                             const std::vector<std::string>& texts) const {
  for (const double number : numbers) {
    require(!range_ || (number >= range_->first && number <= range_->second), ExitCode::bad_configuration,
            "{}{} is out of range; allowed: {}", number, range_unit_, range_ ? describe_range() : "");
  }
  for (const std::string& text : texts) {
    require(choices_.empty() || std::find(choices_.begin(), choices_.end(), text) != choices_.end(),
            ExitCode::bad_configuration, "'{}' is not a choice; allowed: {}", text,
            fmt::join(choices_, ", "));
  }
}

template <class T>
ConfigKey& ConfigSchema::key(const std::string& dotted_path, T* target, const std::string& explanation) {
  using Item = typename Shape<T>::Item;
  ConfigKey& key = add_key(dotted_path, explanation);
  key.type_ = Shape<T>::type();
  key.is_list_ = Shape<T>::is_list;
  key.range_unit_ = std::is_same_v<Item, Duration> ? " s" : "";
  key.default_ = print_value(*target);
  key.print_ = [target] { return print_value(*target); };
  key.assign_ = [target, &key](const ConfigValue& value) {
    std::vector<Item> items = parse_items<T>(value);
    std::vector<double> numbers;
    std::vector<std::string> texts;
    for (const Item& item : items) {
      if (const std::optional<double> number = ConfigType<Item>::number(item)) {
        numbers.push_back(*number);
      }
      if constexpr (std::is_same_v<Item, std::string>) {
        texts.push_back(item);
      }
    }
    key.check_limits(numbers, texts);
    *target = Shape<T>::make(std::move(items));
  };
  return key;
}

template ConfigKey& ConfigSchema::key(const std::string&, bool*, const std::string&);
template ConfigKey& ConfigSchema::key(const std::string&, int*, const std::string&);
template ConfigKey& ConfigSchema::key(const std::string&, std::int64_t*, const std::string&);
template ConfigKey& ConfigSchema::key(const std::string&, double*, const std::string&);
template ConfigKey& ConfigSchema::key(const std::string&, std::string*, const std::string&);
template ConfigKey& ConfigSchema::key(const std::string&, Duration*, const std::string&);
template ConfigKey& ConfigSchema::key(const std::string&, Time*, const std::string&);
template ConfigKey& ConfigSchema::key(const std::string&, std::vector<int>*, const std::string&);
template ConfigKey& ConfigSchema::key(const std::string&, std::vector<std::string>*, const std::string&);
template ConfigKey& ConfigSchema::key(const std::string&, std::vector<Duration>*, const std::string&);
template ConfigKey& ConfigSchema::key(const std::string&, std::optional<int>*, const std::string&);
template ConfigKey& ConfigSchema::key(const std::string&, std::optional<std::string>*, const std::string&);
template ConfigKey& ConfigSchema::key(const std::string&, std::optional<Duration>*, const std::string&);
template ConfigKey& ConfigSchema::key(const std::string&, std::optional<Time>*, const std::string&);

ConfigKey& ConfigSchema::add_key(const std::string& path, const std::string& explanation) {
  for (const ConfigKey& other : keys_) {
    require(
        other.path_ != path && !other.path_.starts_with(path + ".") && !path.starts_with(other.path_ + "."),
        "configuration key '{}' is declared beside '{}': a path is one key or a section", path, other.path_);
  }
  ConfigKey& key = keys_.emplace_back();
  key.path_ = path;
  key.explanation_ = explanation;
  return key;
}

ConfigKey* ConfigSchema::find_key(std::string_view path) {
  const auto found =
      std::find_if(keys_.begin(), keys_.end(), [&](const ConfigKey& key) { return key.path_ == path; });
  return found == keys_.end() ? nullptr : &*found;
}

bool ConfigSchema::is_section(std::string_view path) const {
  const std::string prefix = std::string(path) + ".";
  return std::any_of(keys_.begin(), keys_.end(),
                     [&](const ConfigKey& key) { return key.path_.starts_with(prefix); });
}

std::string ConfigSchema::nearest_name(std::string_view path) const {
  // A right name in the wrong section costs as much as three wrong letters.
  constexpr std::size_t wrong_section = 3;
  std::string nearest = "none";
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (const ConfigKey& key : keys_) {
    const std::size_t cost =
        std::min(edit_distance(path, key.path_), edit_distance(leaf(path), leaf(key.path_)) + wrong_section);
    if (cost < least) {
      least = cost;
      nearest = key.path_;
    }
  }
  return nearest;
}

void ConfigSchema::add_problem(const std::string& origin, const std::string& text) {
  problems_.push_back(origin + ": " + text);
}

void ConfigSchema::take(const std::string& path, const ConfigValue& value, const std::string& origin) {
  ConfigKey* key = find_key(path);
  if (key == nullptr) {
    const bool null = !value.is_list && value.items.size() == 1 && value.items.front().null;
    if (!is_section(path)) {
      add_problem(origin,
                  fmt::format("unknown key '{}'; nearest known name: '{}'", path, nearest_name(path)));
    } else if (!null) {
      add_problem(origin, fmt::format("'{}' is a section of keys and takes no value itself", path));
    }
    return;
  }
  key->given_ = true;
  try {
    key->assign_(value);
  } catch (const Error& problem) {
    add_problem(origin, fmt::format("'{}' ({}): {}", path, key->describe(), problem.what()));
  }
}

void ConfigSchema::take_section(const std::string& path, bool has_keys, const std::string& origin) {
  if (ConfigKey* key = find_key(path)) {
    key->given_ = true;
    add_problem(origin, fmt::format("'{}' ({}): a section is given where a value belongs", path, key->type_));
  } else if (!has_keys && !is_section(path)) {
    add_problem(origin,
                fmt::format("unknown section '{}'; nearest known name: '{}'", path, nearest_name(path)));
  }
}

void ConfigSchema::read(const std::string& yaml_text, const std::string& source_name) {
  sources_.push_back(source_name);
  const ConfigYaml yaml = read_config_yaml(yaml_text);
  for (const ConfigYaml::Problem& problem : yaml.problems) {
    add_problem(fmt::format("{}:{}", source_name, problem.line), problem.text);
  }
  unreadable_ = unreadable_ || !yaml.complete;
  for (const ConfigEntry& entry : yaml.entries) {
    const std::string origin = fmt::format("{}:{}", source_name, entry.line);
    if (entry.is_section) {
      const bool has_keys =
          std::any_of(yaml.entries.begin(), yaml.entries.end(),
                      [&](const ConfigEntry& other) { return other.path.starts_with(entry.path + "."); });
      take_section(entry.path, has_keys, origin);
    } else {
      take(entry.path, entry.value, origin);
    }
  }
}

void ConfigSchema::set(const std::string& assignment, const std::string& origin) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    add_problem(origin,
                fmt::format("'{}' is not an assignment; write it like ensemble.members=24", assignment));
    return;
  }
  const std::string path = assignment.substr(0, equals);
  const std::string text = assignment.substr(equals + 1);
  const ConfigKey* key = find_key(path);
  if (key == nullptr || !key->is_list_) {
    take(path, {.is_list = false, .items = {{.text = text, .null = text == "null" || text == "~"}}}, origin);
    return;
  }
  const ConfigYaml list = read_config_yaml(text.starts_with('[') ? "list: " + text : "list: [" + text + "]");
  if (list.problems.empty() && list.entries.size() == 1) {
    take(path, list.entries.front().value, origin);
  } else {
    add_problem(origin, fmt::format("'{}': '{}' is not a list; write it like a,b or [a, b]", path, text));
  }
}

void ConfigSchema::check() const {
  std::vector<std::string> problems = problems_;
  for (const ConfigKey& key : keys_) {
    if (key.required_ && !key.given_ && !unreadable_) {
      problems.push_back(fmt::format("missing: '{}' ({}): {}", key.path_, key.describe(), key.explanation_));
    }
  }
  require(problems.empty(), ExitCode::bad_configuration, "{} in the configuration{}{}:\n  {}",
          problems.size() == 1 ? "1 problem" : fmt::format("{} problems", problems.size()),
          sources_.empty() ? "" : " of ", fmt::join(sources_, ", "), fmt::join(problems, "\n  "));
}

}  // namespace mosaic

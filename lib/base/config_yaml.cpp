#include "base/config_yaml.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>
#include <utility>

namespace mosaic {

namespace {

constexpr std::size_t max_bytes = 1 << 20;
constexpr std::size_t max_levels = 16;

/// Ends the reading of a text.
struct Unreadable {
  int line;
  std::string text;
};

int line_of(const YAML::Mark& mark) { return mark.line + 1; }

/// Takes the parser's events instead of its tree: duplicate keys, aliases and lines are lost in the tree.
class Flattener : public YAML::EventHandler {
 public:
  explicit Flattener(ConfigYaml& result) : result_(result) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_extras(mark, "", anchor);
    take_scalar(mark, {.text = "null", .quoted = false, .null = true});
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Unreadable{line_of(mark), "aliases (*name) are not supported; write the value out"};
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_extras(mark, tag, anchor);
    take_scalar(mark, {.text = value, .quoted = tag == "!", .null = false});
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_extras(mark, tag, anchor);
    if (list_ != nullptr || maps_.empty() || !maps_.back().value_is_next) {
      throw Unreadable{line_of(mark), "a list can only be the value of a key, and holds plain values only"};
    }
    list_ = &add_entry();
    list_->value.is_list = true;
  }

  void OnSequenceEnd() override {
    list_ = nullptr;
    maps_.back().value_is_next = false;
  }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_extras(mark, tag, anchor);
    if (list_ != nullptr || (!maps_.empty() && !maps_.back().value_is_next)) {
      throw Unreadable{line_of(mark), "a section can be neither a key nor an item of a list"};
    }
    if (maps_.size() == max_levels) {
      throw Unreadable{line_of(mark), fmt::format("sections nest more than {} deep", max_levels)};
    }
    if (!maps_.empty()) {
      add_entry().is_section = true;
    }
    maps_.push_back({.prefix = maps_.empty() ? "" : maps_.back().path + "."});
  }

  void OnMapEnd() override {
    maps_.pop_back();
    if (!maps_.empty()) {
      maps_.back().value_is_next = false;
    }
  }

 private:
  struct Map {
    std::string prefix;
    std::string path = {};  ///< of the key whose value is next or was last
    int line = 0;           ///< of that key
    bool value_is_next = false;
  };

  static void refuse_extras(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) {
      throw Unreadable{line_of(mark), "anchors (&name) are not supported"};
    }
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw Unreadable{line_of(mark), fmt::format("tags ({}) are not supported", tag)};
    }
  }

  void take_scalar(const YAML::Mark& mark, ConfigScalar scalar) {
    if (list_ != nullptr) {
      list_->value.items.push_back(std::move(scalar));
    } else if (maps_.empty()) {
      if (!scalar.null) {
        throw Unreadable{line_of(mark),
                         fmt::format("'{}' stands without a key; write `key: value`", scalar.text)};
      }
    } else if (maps_.back().value_is_next) {
      add_entry().value.items.push_back(std::move(scalar));
      maps_.back().value_is_next = false;
    } else {
      maps_.back().path = maps_.back().prefix + scalar.text;
      maps_.back().line = line_of(mark);
      maps_.back().value_is_next = true;
    }
  }

  /// The entry for the key whose value begins; of a duplicate, one that nobody reads.
  ConfigEntry& add_entry() {
    const std::string& path = maps_.back().path;
    const int line = maps_.back().line;
    const auto [first, is_new] = lines_.try_emplace(path, line);
    if (!is_new) {
      result_.problems.push_back(
          {line, fmt::format("duplicate key '{}', first in line {}", path, first->second)});
      return duplicate_ = {};
    }
    return result_.entries.emplace_back(ConfigEntry{.path = path, .line = line, .value = {}});
  }

  ConfigYaml& result_;
  std::vector<Map> maps_;        ///< the open maps, outermost first
  ConfigEntry* list_ = nullptr;  ///< the open list; no entry is added while there is one
  std::map<std::string, int> lines_;
  ConfigEntry duplicate_;
};

}  // namespace

ConfigYaml read_config_yaml(const std::string& text) {
  ConfigYaml result;
  const auto give_up = [&](int line, const std::string& problem) {
    result.problems.push_back({line, problem});
    result.complete = false;
  };
  if (text.size() > max_bytes) {
    give_up(1, fmt::format("{} bytes; a configuration has at most {}", text.size(), max_bytes));
    return result;
  }
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    Flattener flattener(result);
    parser.HandleNextDocument(flattener);
    if (parser) {
      throw Unreadable{1, "more than one YAML document (`---`); write one"};
    }
  } catch (const Unreadable& problem) {
    give_up(problem.line, problem.text);
  } catch (const YAML::Exception& problem) {
    give_up(line_of(problem.mark), fmt::format("YAML syntax: {}", problem.msg));
  }
  return result;
}

}  // namespace mosaic

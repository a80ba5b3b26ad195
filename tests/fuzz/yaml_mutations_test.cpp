#include <gtest/gtest.h>

#include <array>
#include <iterator>
#include <string>

#include "base/config.hpp"
#include "forecast/hindcast_config.hpp"
#include "fuzz/campaign.hpp"
#include "model/network_file.hpp"

namespace mosaic::test {
namespace {

std::string reference() {
  HindcastConfig config;
  ConfigSchema schema;
  add_hindcast_keys(schema, config);
  return schema.reference() + "\n";
}

/// Lines that no configuration and no network file may hold.
constexpr const char* impossible_lines[] = {"unknown_key: 1\n",
                                            "? [a, b]\n: c\n",
                                            "- a\n- b\n",
                                            "&anchor key: 1\n",
                                            "key: *anchor\n",
                                            "key: !!binary aGVsbG8=\n",
                                            "---\nsecond: document\n",
                                            "key: [[1], [2]]\n",
                                            "key: {a: {b: {c: [}}}\n",
                                            "\tkey: 1\n",
                                            "key: \"open\n",
                                            "key: 'open\n",
                                            "key: |\n text\n bad: : :\nx",
                                            "{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{",
                                            "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
                                            "key: \xff\xfe\n",
                                            "%YAML 9.9\n---\nkey: 1\n"};

std::string repeated(const std::string& part, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += part;
  }
  return text;
}

/// Replaces the value of one line that has one.
std::string with_other_value(Mutator& mutator, std::string text) {
  const std::array<std::string, 18> values = {"",
                                              "null",
                                              "-1",
                                              "1e999",
                                              "nan",
                                              "0x10",
                                              "99999999999999999999",
                                              std::to_string(mutator.awkward_number()),
                                              "[]",
                                              "[1, 2, x]",
                                              "{a: 1}",
                                              "\"\\u0000\"",
                                              "2020-13-45T99",
                                              "9999999999999999h",
                                              "-6h",
                                              "yes",
                                              "&a 1",
                                              repeated("x", 70000)};
  const std::size_t start = text.find(": ", mutator.below(text.size()));
  if (start == std::string::npos) {
    return text + "another: value\n";
  }
  const std::size_t end = std::min(text.find('\n', start), text.size());
  return text.replace(start + 2, end - start - 2, values[mutator.below(values.size())]);
}

/// Deep or wide beyond reason; each takes a reader without limits very long or ends it.
std::string monstrous(Mutator& mutator) {
  switch (mutator.below(6)) {
    case 0:
      return repeated("[", 1 + mutator.below(200000));
    case 1:
      return repeated("{a: ", 1 + mutator.below(100000));
    case 2:
      return "key: " + repeated("- ", 1 + mutator.below(100000));
    case 3:
      return repeated("a: 1\n", 1 + mutator.below(3000));
    case 4:
      return repeated("? ", 1 + mutator.below(100000));
    default:
      return "list: [" + repeated("1, ", 1 + mutator.below(100000)) + "]";
  }
}

Mutation mutate_yaml(Mutator& mutator, const Files& sample) {
  const auto& [name, good] = *sample.begin();
  switch (mutator.below(20)) {
    case 0:
      return {{{name, monstrous(mutator)}}, Allowed::nothing, "monstrous"};
    case 1:
    case 2:
    case 3: {
      const char* line = impossible_lines[mutator.below(std::size(impossible_lines))];
      return {{{name, mutator.one_in(2) ? good + line : line + good}}, Allowed::nothing, line};
    }
    case 4:
    case 5:
      return {{{name, good + good}}, Allowed::nothing, "every key twice"};
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
      return {{{name, with_other_value(mutator, good)}}, Allowed::reading, "value"};
    default:
      return {{{name, mutator.changed(good)}}, Allowed::reading, "bytes"};
  }
}

void run(const std::string& name, const std::string& text, Contents (*read)(const std::string&)) {
  const HostileFormat format{.name = name,
                             .opened = "sample.yaml",
                             .sample = {{"sample.yaml", text}},
                             .read = read,
                             .mutate = mutate_yaml};
  const Tally tally = run_campaign(format, mutation_count() / 2);
  EXPECT_GT(tally.refused, tally.files / 3);
}

TEST(HostileYaml, Configuration) { run("configuration", reference(), read_configuration); }

TEST(HostileYaml, NetworkFile) { run("network_file", network_file_reference() + "\n", read_network); }

}  // namespace
}  // namespace mosaic::test

#include "base/config.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"

namespace mosaic {
namespace {

struct Options {
  bool verbose = false;
  int members = 4;
  std::int64_t seed = 1;
  double threshold = 0.5;
  std::string model = "mosaic";
  std::vector<std::string> variables = {"t2m", "z"};
  std::vector<int> levels = {500, 850};
  Duration step = Duration::hours(6);
  Time start = parse_time("2020-01-01T00");
  std::optional<int> threads;
  std::optional<std::string> truth;
  std::optional<Duration> walltime;
  std::optional<Time> end;

  bool operator==(const Options&) const = default;
};

/// A schema over `options` with one key of each type.
struct Program {
  Options options;
  ConfigSchema schema;

  Program() {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    schema.key("log.verbose", &options.verbose, "Say more");
    schema.key("ensemble.members", &options.members, "Members per initial time").range(1, 100);
    schema.key("ensemble.seed", &options.seed, "Seed of the noise");
    schema.key("score.threshold", &options.threshold, "Threshold [K]").range(0, 1);
    schema.key("model", &options.model, "What forecasts").choices({"mosaic", "persistence"});
    schema.key("score.select.variables", &options.variables, "Scored variables").choices({"t2m", "z", "q"});
    schema.key("score.select.levels", &options.levels, "Scored levels [hPa]").range(1, 1100);
    schema.key("time.step", &options.step, "Step").range(3600, infinity);
    schema.key("time.start", &options.start, "First initial time").required();
    schema.key("ensemble.threads", &options.threads, "Threads").range(1, 64);
    schema.key("truth", &options.truth, "Store of the truth");
    schema.key("time.walltime", &options.walltime, "When to stop");
    schema.key("time.end", &options.end, "Last initial time");
  }

  /// The message of check(), or "" if there is none.
  std::string problems() const {
    try {
      schema.check();
      return "";
    } catch (const Error& problem) {
      EXPECT_EQ(problem.code(), ExitCode::bad_configuration);
      return problem.what();
    }
  }
};

const std::string valid = "time: {start: 2021-02-03T06}\n";

/// The problems of one text after the required key, so that its first line is line 2.
std::string problems_of(const std::string& yaml) {
  Program program;
  program.schema.read(valid + yaml, "run.yaml");
  return program.problems();
}

std::string problems_of_set(const std::string& assignment) {
  Program program;
  program.schema.read(valid, "run.yaml");
  program.schema.set(assignment, "--set");
  return program.problems();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

#define EXPECT_HAS(text, part) EXPECT_TRUE(has(text, part)) << text

TEST(Config, DefaultsStayWhereNothingIsGiven) {
  Program program;
  program.schema.read(valid, "run.yaml");
  EXPECT_EQ(program.problems(), "");
  Options expected;
  expected.start = parse_time("2021-02-03T06");
  EXPECT_EQ(program.options, expected);
}

TEST(Config, ReadsEveryType) {
  Program program;
  program.schema.read(R"(
# a comment
log:
  verbose: true
ensemble: {members: 24, seed: -9007199254740993, threads: 8}
score:
  threshold: 2.5e-1
  select:
    variables: [q, "t2m"]
    levels:
      - 1000
      - 50
model: persistence
time:
  step: 12h
  start: 2020-06-01
  walltime: 90min
  end: "2020-06-30T12:30"
truth: "null"
)",
                      "run.yaml");
  EXPECT_EQ(program.problems(), "");
  const Options expected = {.verbose = true,
                            .members = 24,
                            .seed = -9007199254740993,
                            .threshold = 0.25,
                            .model = "persistence",
                            .variables = {"q", "t2m"},
                            .levels = {1000, 50},
                            .step = Duration::hours(12),
                            .start = parse_time("2020-06-01T00"),
                            .threads = 8,
                            .truth = "null",
                            .walltime = Duration{5400},
                            .end = parse_time("2020-06-30T12:30")};
  EXPECT_EQ(program.options, expected);
}

TEST(Config, NullClearsAnOptional) {
  for (const char* null : {"null", "~", ""}) {
    Program program;
    program.options.truth = "somewhere";
    program.schema.read(valid + "truth: " + null + "\n", "run.yaml");
    EXPECT_EQ(program.problems(), "");
    EXPECT_EQ(program.options.truth, std::nullopt) << null;
  }
}

TEST(Config, LaterAssignmentsWin) {
  Program program;
  program.schema.read(valid + "ensemble: {members: 8}\ntruth: a\n", "run.yaml");
  program.schema.set("ensemble.members=12", "--set");
  program.schema.set("ensemble.members=16", "--members");
  program.schema.set("truth=null", "--set");
  program.schema.set("score.select.variables=q,z", "--set");
  program.schema.set("score.select.levels=[ 500, 700 ]", "--set");
  program.schema.set("time.start=2022-01-01", "--start");
  EXPECT_EQ(program.problems(), "");
  EXPECT_EQ(program.options.members, 16);
  EXPECT_EQ(program.options.truth, std::nullopt);
  EXPECT_EQ(program.options.variables, (std::vector<std::string>{"q", "z"}));
  EXPECT_EQ(program.options.levels, (std::vector<int>{500, 700}));
  program.schema.set("truth=a=b: {c}", "--truth");
  program.schema.set("score.select.levels=[]", "--set");
  EXPECT_EQ(program.problems(), "");
  EXPECT_EQ(program.options.truth, "a=b: {c}");
  EXPECT_TRUE(program.options.levels.empty());
}

TEST(Config, AllProblemsAreReportedTogether) {
  Program program;
  program.schema.read(
      "ensmble:\n  members: 3\nmodel: magic\nscore: {threshold: warm}\nensemble: {members: 0}\n"
      "log: {verbose: true, verbose: false}\n",
      "run.yaml");
  program.schema.set("time.setp=6h", "--set");
  const std::string text = program.problems();
  EXPECT_HAS(text, "7 problems");
  EXPECT_HAS(text, "run.yaml:2: unknown key 'ensmble.members'; nearest known name: 'ensemble.members'");
  EXPECT_HAS(text, "run.yaml:3: 'model'");
  EXPECT_HAS(text, "'magic' is not a choice; allowed: mosaic, persistence");
  EXPECT_HAS(text, "run.yaml:4: 'score.threshold'");
  EXPECT_HAS(text, "'warm' is not a finite number");
  EXPECT_HAS(text, "run.yaml:5: 'ensemble.members'");
  EXPECT_HAS(text, "0 is out of range; allowed: 1 ... 100");
  EXPECT_HAS(text, "run.yaml:6: duplicate key 'log.verbose', first in line 6");
  EXPECT_HAS(text, "--set: unknown key 'time.setp'; nearest known name: 'time.step'");
  EXPECT_HAS(text, "missing: 'time.start'");
  Options expected;  // bad values change nothing; of duplicates the first is taken
  expected.verbose = true;
  EXPECT_EQ(program.options, expected);
}

TEST(Config, NearestNameMayBeInAnotherSection) {
  EXPECT_HAS(problems_of("members: 3\n"), "nearest known name: 'ensemble.members'");
  EXPECT_HAS(problems_of("thresold: 3\n"), "nearest known name: 'score.threshold'");
}

TEST(Config, DuplicatesAreFoundHoweverTheyAreWritten) {
  EXPECT_HAS(problems_of("model: mosaic\nmodel: mosaic\n"),
             "run.yaml:3: duplicate key 'model', first in line 2");
  EXPECT_HAS(problems_of("score: {threshold: 1}\nscore:\n  select:\n"), "duplicate key 'score'");
  EXPECT_HAS(problems_of("ensemble: {members: 3}\nensemble.members: 4\n"),
             "duplicate key 'ensemble.members'");
}

TEST(Config, MistypedValuesAreRefused) {
  for (const char* yaml : {"log: {verbose: yes}",
                           "log: {verbose: 1}",
                           "log: {verbose: \"true\"}",
                           "log: {verbose: }",
                           "log: {verbose: [true]}",
                           "ensemble: {members: 3.0}",
                           "ensemble: {members: 1e1}",
                           "ensemble: {members: 0x10}",
                           "ensemble: {members: \"3\"}",
                           "ensemble: {members: 3 4}",
                           "ensemble: {members: 4294967297}",
                           "ensemble: {members: null}",
                           "ensemble: {members: {a: 3}}",
                           "ensemble: {seed: 9223372036854775808}",
                           "score: {threshold: .nan}",
                           "score: {threshold: nan}",
                           "score: {threshold: .inf}",
                           "score: {threshold: 1e999}",
                           "score: {threshold: 0,5}",
                           "model:",
                           "model: [mosaic]",
                           "score: {select: {variables: t2m}}",
                           "score: {select: {variables: [t2m, null]}}",
                           "score: {select: {levels: [500, x]}}",
                           "score: {select: {levels: }}",
                           "time.step: 6",
                           "time.step: six hours",
                           "time.end: 2020-02-30",
                           "time.walltime: -1h",
                           "ensemble: {threads: none}",
                           "ensemble: 3",
                           "ensemble: [members]"}) {
    EXPECT_HAS(problems_of(std::string(yaml) + "\n"), "run.yaml:2") << yaml;
  }
}

TEST(Config, LimitsApplyToEveryItemAndUnit) {
  EXPECT_HAS(problems_of("score: {select: {levels: [500, 1200]}}\n"),
             "1200 is out of range; allowed: 1 ... 1100");
  EXPECT_HAS(problems_of("score: {select: {variables: [z, pv]}}\n"),
             "'pv' is not a choice; allowed: t2m, z, q");
  EXPECT_HAS(problems_of("time.step: 30min\n"), "1800 s is out of range; allowed: at least 3600 s");
  EXPECT_HAS(problems_of("ensemble: {threads: 65}\n"), "65 is out of range");
  EXPECT_EQ(problems_of("score: {threshold: 0}\nensemble: {members: 100}\ntime.step: 1h\n"), "");
}

TEST(Config, SectionsMayBeEmptyButMustBeKnown) {
  EXPECT_EQ(problems_of("ensemble:\nscore: {}\n"), "");
  EXPECT_HAS(problems_of("nonsense: {}\n"), "run.yaml:2: unknown section 'nonsense'");
  EXPECT_HAS(problems_of("nonsense:\n"), "run.yaml:2: unknown key 'nonsense'");
}

TEST(Config, BadAssignmentsAreRefused) {
  EXPECT_HAS(problems_of_set("ensemble.members"), "--set: 'ensemble.members' is not an assignment");
  EXPECT_HAS(problems_of_set("=3"), "is not an assignment");
  EXPECT_HAS(problems_of_set("ensemble.members="), "'' is not a whole number");
  EXPECT_HAS(problems_of_set("ensemble.members=101"), "101 is out of range");
  EXPECT_HAS(problems_of_set("score.select.levels=[500"), "is not a list");
  EXPECT_HAS(problems_of_set("score.select.levels=[500]\nmodel: x"), "is not a list");
  EXPECT_HAS(problems_of_set("score=3"), "'score' is a section");
}

TEST(Config, SyntaxErrorsHaveALineAndHideMissingKeys) {
  Program program;
  program.schema.read("model: mosaic\nscore: {threshold: 1}\nlog: ]\n", "run.yaml");
  const std::string text = program.problems();
  EXPECT_HAS(text, "1 problem in");
  EXPECT_HAS(text, "run.yaml:3: YAML syntax");
}

TEST(Config, DangerousOrStrangeYamlIsRefused) {
  const std::string bomb = "a: &a [x, x]\nb: &b [*a, *a]\n";
  EXPECT_HAS(problems_of(bomb), "run.yaml:2: anchors");
  EXPECT_HAS(problems_of("model: *a\n"), "run.yaml:2: ");
  EXPECT_HAS(problems_of("model: !!str mosaic\n"), "run.yaml:2: tags");
  EXPECT_HAS(problems_of("score: {select: {levels: [[1], 2]}}\n"), "run.yaml:2: a list");
  EXPECT_HAS(problems_of("score: {select: {levels: [{a: 1}]}}\n"), "run.yaml:2: a section");
  EXPECT_HAS(problems_of("? [a]\n: 1\n"), "run.yaml:2: ");
  EXPECT_HAS(problems_of("---\nmodel: mosaic\n"), "more than one YAML document");
  std::string deep;
  for (int level = 0; level < 20; ++level) {
    deep += std::string(level, ' ') + "a:\n";
  }
  EXPECT_HAS(problems_of(deep + std::string(20, ' ') + "a: 1\n"), "nest more than 16 deep");
  EXPECT_HAS(problems_of("a: " + std::string(100000, '[')), "run.yaml:2: ");
  EXPECT_HAS(problems_of("# " + std::string(1 << 20, 'x')), "run.yaml:1: 1048607 bytes");
  Program program;
  program.schema.read("just text", "run.yaml");
  EXPECT_HAS(program.problems(), "run.yaml:1: 'just text' stands without a key");
}

TEST(Config, EmptyFileIsAllDefaults) {
  for (const char* text : {"", "# nothing\n", "---\n", "{}\n"}) {
    Program program;
    program.schema.read(text, "run.yaml");
    program.schema.set("time.start=2020-01-01", "--start");
    EXPECT_EQ(program.problems(), "") << text;
  }
}

TEST(Config, PrintRoundTrips) {
  Program program;
  program.options.threshold = 0.1;
  program.options.seed = std::numeric_limits<std::int64_t>::min();
  program.options.variables = {};
  program.options.start = parse_time("1999-12-31T23:59:58");
  program.options.walltime = Duration::hours(48);
  for (const std::string text : {"",
                                 "null",
                                 "NULL",
                                 "~",
                                 "true",
                                 "12",
                                 "/data/era5.zarr",
                                 "s3://b/c",
                                 "a: b",
                                 "a #b",
                                 "- a",
                                 "[x",
                                 "it's",
                                 "say \"hi\" \\",
                                 "tab\tnew\nline",
                                 "...",
                                 "---",
                                 " x ",
                                 "a:",
                                 "\xc3\xa9t\xc3\xa9",
                                 "*a",
                                 "&a",
                                 "!t",
                                 "%x",
                                 "@"}) {
    program.options.truth = text;
    program.options.variables = {};
    Program copy;
    copy.schema.read(program.schema.print(), "printed.yaml");
    EXPECT_EQ(copy.problems(), "") << program.schema.print();
    EXPECT_EQ(copy.options, program.options) << program.schema.print();
  }
}

TEST(Config, ListsOfTextRoundTrip) {
  std::vector<std::string> texts = {"a", "b, c", "", "null", "[d]", "e:", "f"};
  const std::vector<std::string> expected = texts;
  ConfigSchema schema;
  schema.key("texts", &texts, "Any texts");
  const std::string printed = schema.print();
  texts.clear();
  schema.read(printed, "printed.yaml");
  schema.check();
  EXPECT_EQ(texts, expected);
}

TEST(Config, ReferenceExplainsEveryKeyAndReadsBack) {
  Program program;
  program.schema.read(valid + "ensemble: {members: 24}\n", "run.yaml");
  const std::string text = program.schema.reference();
  EXPECT_HAS(text, "ensemble:\n  # Members per initial time (whole number, 1 ... 100)\n  members: 4\n");
  EXPECT_HAS(text, "# What forecasts (text, one of mosaic | persistence)\nmodel: mosaic\n");
  EXPECT_HAS(text, "  # First initial time (UTC time, required)\n  start: 2020-01-01T00\n");
  EXPECT_HAS(text, "  # Threads (whole number or null, 1 ... 64)\n  threads: null\n");
  EXPECT_HAS(text,
             "    # Scored levels [hPa] (list, each a whole number, 1 ... 1100)\n    levels: [500, 850]\n");
  Program copy;
  copy.schema.read(text, "reference.yaml");
  EXPECT_EQ(copy.problems(), "");
  EXPECT_EQ(copy.options, Options{});
}

TEST(Config, PathIsOneKeyOrASection) {
  int value = 0;
  ConfigSchema schema;
  schema.key("a.b", &value, "First");
  EXPECT_THROW(schema.key("a.b", &value, "Same"), Error);
  EXPECT_THROW(schema.key("a", &value, "Section"), Error);
  EXPECT_THROW(schema.key("a.b.c", &value, "Below a key"), Error);
}

}  // namespace
}  // namespace mosaic

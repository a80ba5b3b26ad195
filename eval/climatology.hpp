#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "eval/climatology_output.hpp"
#include "eval/climatology_times.hpp"
#include "parallel/comm.hpp"
#include "stores/field_store.hpp"

namespace mosaic::eval {

/// What a climatology is made of, and how. What is empty or absent: everything that the store has.
struct ClimatologyRequest {
  std::string input;
  std::string output;
  FieldStoreOptions options;  ///< options.threads is also that of the computation
  std::optional<Time> first;  ///< default: the first day of the first year
  std::optional<Time> last;   ///< default: the end of the last year
  std::vector<int> hours;
  std::vector<std::string> variables;
  std::vector<std::string> channels;  ///< VARIABLE_LEVEL, or VARIABLE
  std::size_t window = 61;            ///< [d] odd
  std::set<ClimatologyStatistic> statistics = {ClimatologyStatistic::mean, ClimatologyStatistic::deviation};
  bool seeps_if_possible = true;    ///< seeps too, where there is precipitation
  std::vector<double> quantiles;    ///< 0 ... 1
  bool allow_missing = false;       ///< times that are not there are left out; otherwise they are an error
  double memory = 2.0 * (1 << 30);  ///< [bytes] for each rank
};

struct ClimatologyOutcome {
  ClimatologyContents contents;
  std::size_t states = 0;  ///< fields of a channel and time that were used
  std::size_t passes = 0;
  double read_seconds = 0;  ///< of this rank: reading and handing over
  double compute_seconds = 0;
  double write_seconds = 0;
  bool stopped = false;  ///< by a signal: there is no output
};

/// Computes the climatology of WeatherBench 2 (see WindowStatisticsArgs for the statistics) and writes it
/// with ClimatologyOutput. Each rank reads a share of the times and computes a share of the points: the store
/// is read once if the memory of all ranks can hold one variable. The bytes of the output depend on neither
/// ranks, threads nor memory. Errors: those of open_field_store(), FieldStore::read() and ClimatologyOutput;
/// missing_input naming absent variables and times; bad_configuration. After an error nothing is called
/// `output`. Collective.
ClimatologyOutcome compute_climatology(const ClimatologyRequest& request, const Comm& comm);

}  // namespace mosaic::eval

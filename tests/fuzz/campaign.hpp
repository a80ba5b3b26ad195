#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "fuzz/mutations.hpp"
#include "fuzz/read_everything.hpp"

namespace mosaic::test {

/// What may come of a changed file, besides a clear refusal.
enum class Allowed {
  reading,          ///< it may be read: the format cannot know better
  same_structure,   ///< it may be read, with all that is not a number as it was
  same_everything,  ///< it may be read, as it was
  nothing,          ///< it must be refused
};

struct Mutation {
  Files files;
  Allowed allowed = Allowed::reading;
  std::string what;  ///< for messages
};

/// A kind of file, an undamaged sample of it and ways to damage it.
struct HostileFormat {
  std::string name;
  std::string opened;  ///< what is opened: a file of the sample or a folder of its files
  Files sample;
  std::function<Contents(const std::string& path)> read;
  std::function<Mutation(Mutator& mutator, const Files& sample)> mutate;
  std::size_t memory = std::size_t{64} << 20;  ///< most that reading may allocate at a time [bytes]
  double seconds = 5;                          ///< longest that reading may take
};

struct Tally {
  std::size_t files = 0;
  std::size_t refused = 0;
  std::size_t unchanged = 0;      ///< read as if undamaged
  std::size_t other_values = 0;   ///< same structure
  std::size_t other_content = 0;  ///< read as another file
  double slowest = 0;             ///< [s]
  std::size_t most_memory = 0;    ///< [bytes]
  std::string slowest_case, largest_case;
};

/// Opens and reads `path`. What is wrong with what comes of it, in words; empty if it is allowed: it is read
/// as the mutation allows, or refused with corrupt_input, missing_input or bad_configuration and a message
/// that names `path` and a reason. Counts in `tally`.
std::string complaint(const HostileFormat& format, const Mutation& mutation, const Contents& original,
                      const std::string& path, Tally& tally);

/// Damaged files of each format: MOSAIC_MUTATIONS, or 1,000 with AddressSanitizer and 200 without.
std::size_t mutation_count();

/// Damages the sample `files` times; every complaint fails the test. Prints the tally.
Tally run_campaign(const HostileFormat& format, std::size_t files = mutation_count());

}  // namespace mosaic::test

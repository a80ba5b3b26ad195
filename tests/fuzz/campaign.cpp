#include "fuzz/campaign.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "fuzz/allocations.hpp"
#include "support/golden.hpp"

namespace mosaic::test {

namespace {

namespace fs = std::filesystem;

void write_file(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

/// Brings the folder from one set of files to another.
void change_files(const fs::path& folder, const Files& from, const Files& to) {
  for (const auto& [name, bytes] : from) {
    if (!to.contains(name)) {
      fs::remove(folder / name);
    }
  }
  for (const auto& [name, bytes] : to) {
    const auto before = from.find(name);
    if (before == from.end() || before->second != bytes) {
      write_file(folder / name, bytes);
    }
  }
}

std::string judge_contents(Allowed allowed, const Contents& original, const Contents& found, Tally& tally) {
  if (found == original) {
    ++tally.unchanged;
    return allowed == Allowed::nothing ? "was read although it is damaged" : "";
  }
  const bool same_structure = found.structure == original.structure;
  ++(same_structure ? tally.other_values : tally.other_content);
  if (allowed == Allowed::reading || (allowed == Allowed::same_structure && same_structure)) {
    return "";
  }
  return same_structure
             ? "was read with other values"
             : "was read with another structure:\n" + found.structure + "\ninstead of\n" + original.structure;
}

std::string judge_error(const Error& error, const std::string& path, Tally& tally) {
  ++tally.refused;
  const std::string text = error.what();
  const bool right_class = error.code() == ExitCode::corrupt_input ||
                           error.code() == ExitCode::missing_input ||
                           error.code() == ExitCode::bad_configuration;
  if (!right_class) {
    return fmt::format("was refused with code {}: {}", static_cast<int>(error.code()), text);
  }
  constexpr std::size_t shortest_reason = 10;
  if (text.find(path) == std::string::npos || text.size() < path.size() + shortest_reason) {
    return "was refused by a message without its name or without a reason: " + text;
  }
  return "";
}

/// MOSAIC_FIRST_MUTATION=N with MOSAIC_MUTATIONS=N+1 repeats one file.
std::size_t first_seed() {
  const char* chosen = std::getenv("MOSAIC_FIRST_MUTATION");
  return chosen == nullptr ? 0 : std::strtoul(chosen, nullptr, 10);
}

}  // namespace

std::string complaint(const HostileFormat& format, const Mutation& mutation, const Contents& original,
                      const std::string& path, Tally& tally) {
  std::string found;
  ++tally.files;
  const auto start = std::chrono::steady_clock::now();
  const AllocationWatch watch;
  try {
    const Contents contents = format.read(path);
    found = judge_contents(mutation.allowed, original, contents, tally);
  } catch (const Error& error) {
    found = judge_error(error, path, tally);
  } catch (const std::exception& error) {
    found = fmt::format("threw something that is no Error: {}", error.what());
  }
  const std::size_t peak = watch.peak();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (seconds > tally.slowest) {
    tally.slowest = seconds;
    tally.slowest_case = mutation.what;
  }
  if (peak > tally.most_memory) {
    tally.most_memory = peak;
    tally.largest_case = mutation.what;
  }
  if (found.empty() && peak > format.memory) {
    found = fmt::format("took {} bytes of memory, {} are allowed", peak, format.memory);
  }
  if (found.empty() && seconds > format.seconds) {
    found = fmt::format("took {:.1f} s", seconds);
  }
  return found;
}

std::size_t mutation_count() {
  if (const char* chosen = std::getenv("MOSAIC_MUTATIONS")) {
    return std::strtoul(chosen, nullptr, 10);
  }
#ifdef __SANITIZE_ADDRESS__
  return 1000;
#else
  return 200;
#endif
}

Tally run_campaign(const HostileFormat& format, std::size_t files) {
  const fs::path folder = scratch_dir("campaign_" + format.name);
  const std::string path = (folder / format.opened).string();
  change_files(folder, {}, format.sample);
  Tally undamaged;
  const Contents original = format.read(path);
  EXPECT_EQ(complaint(format, {format.sample, Allowed::same_everything, "none"}, original, path, undamaged),
            "");
  EXPECT_EQ(undamaged.unchanged, 1U);
  Tally tally;
  std::size_t failures = 0;
  constexpr std::size_t most_failures = 20;
  for (std::size_t seed = first_seed(); seed < files && failures < most_failures; ++seed) {
    Mutator mutator(seed);
    const Mutation mutation = format.mutate(mutator, format.sample);
    change_files(folder, format.sample, mutation.files);
    if (std::string found = complaint(format, mutation, original, path, tally); !found.empty()) {
      ADD_FAILURE() << format.name << ", seed " << seed << " (" << mutation.what << ") " << found;
      ++failures;
      const fs::path kept = fs::temp_directory_path() / fmt::format("hostile_{}_{}", format.name, seed);
      if (std::getenv("MOSAIC_KEEP_HOSTILE") != nullptr) {
        fs::remove_all(kept);
        fs::copy(folder, kept, fs::copy_options::recursive);
      }
    }
    change_files(folder, mutation.files, format.sample);
  }
  fmt::print(
      "{}: {} damaged files: {} refused, {} read as undamaged, {} with other values, {} as another file; "
      "slowest {:.3f} s ({}), most memory {:.1f} MB ({})\n",
      format.name, tally.files, tally.refused, tally.unchanged, tally.other_values, tally.other_content,
      tally.slowest, tally.slowest_case, static_cast<double>(tally.most_memory) / 1e6, tally.largest_case);
  std::fflush(stdout);
  return tally;
}

}  // namespace mosaic::test

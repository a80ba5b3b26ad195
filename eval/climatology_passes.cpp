#include "eval/climatology_passes.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.hpp"
#include "eval/climatology_times.hpp"

namespace mosaic::eval {
namespace {

/// Reading everything more often than this is no way to save memory.
constexpr std::size_t most_rounds = 32;

std::size_t share(std::size_t all, std::size_t parts) { return (all + parts - 1) / parts; }

/// What a pass needs on one rank [bytes].
double bytes_of(const ClimatologyContents& contents, const ClimatologyPass& pass, int ranks,
                std::size_t states) {
  const std::size_t points = contents.grid->points();
  const std::size_t own = share(share(points, pass.rounds), static_cast<std::size_t>(ranks));
  const std::size_t fields = contents.fields(contents.channels[pass.first_channel].variable).size();
  const std::size_t chunks =
      share(pass.units() * fields * contents.chunk_count(), static_cast<std::size_t>(ranks));
  const double records = static_cast<double>(pass.units() * contents.years.size() * climatology_days * own);
  const double results = static_cast<double>(fields * climatology_days * own);
  const double assembled = static_cast<double>((chunks + 1) * contents.chunk_days() * points);
  const double read = static_cast<double>(2 * states * pass.channels * points);
  return sizeof(float) * (records + results + assembled + read);
}

/// The largest count in 1 ... most that fits.
template <class Fits>
std::optional<std::size_t> largest(std::size_t most, const Fits& fits) {
  for (std::size_t count = most; count > 0; --count) {
    if (fits(count)) {
      return count;
    }
  }
  return std::nullopt;
}

/// The block size of a variable with `levels` channels from `first` on.
ClimatologyPass largest_pass(const ClimatologyContents& contents, std::size_t first, std::size_t levels,
                             int ranks, double memory, std::size_t states) {
  ClimatologyPass pass{first, levels, 0, 1, 1};
  const auto bytes = [&] { return bytes_of(contents, pass, ranks, states); };
  const auto hours = largest(contents.hours.size(), [&](std::size_t count) {
    pass.hours = count;
    return bytes() <= memory;
  });
  if (hours) {
    return pass;
  }
  const auto channels = largest(levels, [&](std::size_t count) {
    pass.channels = count;
    return bytes() <= memory;
  });
  if (channels) {
    return pass;
  }
  const std::size_t most = std::min(most_rounds, contents.grid->points());
  while (bytes() > memory && pass.rounds < most) {
    ++pass.rounds;
  }
  constexpr double gibibyte = 1024.0 * 1024.0 * 1024.0;
  const double without_cache = 1.0 - climatology_cache_part;
  require(bytes() <= memory, ExitCode::bad_configuration,
          "{:.6f} GiB of memory for each of {} ranks are too few: {} at one hour, read {} times, needs "
          "{:.6f} GiB",
          memory / without_cache / gibibyte, ranks, contents.channels[first].name(), pass.rounds,
          std::ceil(bytes() / without_cache / gibibyte * 1e6) / 1e6);
  return pass;
}

}  // namespace

std::pair<std::size_t, std::size_t> points_of(std::size_t points, std::size_t rounds, std::size_t round,
                                              int ranks, int rank) {
  const std::size_t parts = rounds * static_cast<std::size_t>(ranks);
  const std::size_t part = round * static_cast<std::size_t>(ranks) + static_cast<std::size_t>(rank);
  return {points * part / parts, points * (part + 1) / parts};
}

std::vector<ClimatologyPass> plan_passes(const ClimatologyContents& contents, int ranks, double memory,
                                         std::size_t states) {
  std::vector<ClimatologyPass> passes;
  const ChannelSet& channels = contents.channels;
  for (std::size_t first = 0, end = 0; first < channels.size(); first = end) {
    while (end < channels.size() && channels[end].variable == channels[first].variable) {
      ++end;
    }
    const ClimatologyPass block =
        largest_pass(contents, first, end - first, ranks, (1.0 - climatology_cache_part) * memory, states);
    for (std::size_t c = first; c < end; c += block.channels) {
      for (std::size_t h = 0; h < contents.hours.size(); h += block.hours) {
        passes.push_back({c, std::min(block.channels, end - c), h,
                          std::min(block.hours, contents.hours.size() - h), block.rounds});
      }
    }
  }
  return passes;
}

}  // namespace mosaic::eval

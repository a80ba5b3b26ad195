#include "eval/climatology.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/parallel_for.hpp"
#include "base/signals.hpp"
#include "base/stopwatch.hpp"
#include "eval/climatology_choice.hpp"
#include "eval/climatology_passes.hpp"
#include "kernels/window_statistics/window_statistics.hpp"
#include "parallel/agree.hpp"

namespace mosaic::eval {
namespace {

constexpr float missing_value = std::numeric_limits<float>::quiet_NaN();
/// States that a rank reads between two exchanges: few, so that ranks seldom wait for one another and memory
/// stays small.
constexpr std::size_t states_at_once = 4;

/// One rank's work.
class ClimatologyRun {
 public:
  ClimatologyRun(const ClimatologyRequest& request, const Comm& comm)
      : request_(request), comm_(comm), ranks_(comm.size()), rank_(comm.rank()) {}

  /// Everything that may be wrong before the first state is read, on all ranks.
  void set_up() {
    agree(comm_, [&] {
      FieldStoreOptions options = request_.options;
      options.chunk_cache = static_cast<std::size_t>(climatology_cache_part * request_.memory);
      store_ = open_field_store(request_.input, options);
      require(!store_->times().empty(), ExitCode::corrupt_input, "{}: has no times", request_.input);
      times_ = chosen_times(request_, *store_);
      output_.emplace(request_.output, chosen_contents(request_, *store_, times_));
      passes_ = plan_passes(contents(), ranks_, request_.memory, states_at_once);
    });
    agree(comm_, [&] {
      if (rank_ == 0) {
        output_->create();
      }
    });
  }

  /// Errors leave no output behind.
  ClimatologyOutcome run() {
    try {
      for (std::size_t p = 0; p < passes_.size() && !outcome_.stopped; ++p) {
        log_pass(p);
        make(passes_[p]);
      }
      comm_.barrier();
      if (rank_ == 0 && outcome_.stopped) {
        output_->discard();
      } else if (rank_ == 0) {
        output_->finish();
      }
    } catch (...) {
      output_->discard();
      throw;
    }
    outcome_.contents = contents();
    outcome_.passes = passes_.size();
    return std::move(outcome_);
  }

 private:
  /// A chunk of a field of a unit: rank (index modulo ranks) gathers and writes it.
  struct Chunk {
    std::size_t unit = 0;  ///< channel of the pass * hours of the pass + hour of the pass
    std::size_t field = 0;
    std::size_t number = 0;
    std::vector<float> values;  ///< of the owner; piece by piece [days, points of the piece]
  };

  const ClimatologyContents& contents() const { return output_->contents(); }
  std::size_t points() const { return contents().grid->points(); }
  const Channel& channel_of(const ClimatologyPass& pass, std::size_t unit) const {
    return contents().channels[pass.first_channel + unit / pass.hours];
  }
  std::size_t first_day(std::size_t chunk) const { return chunk * contents().chunk_days(); }
  std::size_t days_of(std::size_t chunk) const {
    return std::min(contents().chunk_days(), climatology_days - first_day(chunk));
  }
  int owner_of(std::size_t chunk_index) const {
    return static_cast<int>(chunk_index % static_cast<std::size_t>(ranks_));
  }

  void log_pass(std::size_t p) const {
    const ClimatologyPass& pass = passes_[p];
    if (rank_ == 0) {
      log_info("climatology {}/{}: {}{}, {} of {} hours{}", p + 1, passes_.size(), channel_of(pass, 0).name(),
               pass.channels > 1 ? fmt::format(" and {} more levels", pass.channels - 1) : "", pass.hours,
               contents().hours.size(),
               pass.rounds > 1 ? fmt::format(", read {} times: too little memory", pass.rounds) : "");
    }
  }

  void make(const ClimatologyPass& pass) {
    std::vector<Chunk> chunks = empty_chunks(pass);
    for (std::size_t round = 0; round < pass.rounds; ++round) {
      const std::vector<float> records = gather(pass, round);
      for (std::size_t unit = 0; unit < pass.units(); ++unit) {
        if (outcome_.stopped || stop(0)) {
          return;
        }
        hand_over(pass, round, unit, compute(pass, round, unit, records), chunks);
      }
    }
    write(pass, chunks);
  }

  std::vector<Chunk> empty_chunks(const ClimatologyPass& pass) const {
    std::vector<Chunk> chunks;
    const std::size_t fields = contents().fields(channel_of(pass, 0).variable).size();
    for (std::size_t unit = 0; unit < pass.units(); ++unit) {
      for (std::size_t field = 0; field < fields; ++field) {
        for (std::size_t number = 0; number < contents().chunk_count(); ++number) {
          const bool own = owner_of(chunks.size()) == rank_;
          chunks.push_back({unit, field, number, std::vector<float>(own ? days_of(number) * points() : 0)});
        }
      }
    }
    return chunks;
  }

  std::pair<std::size_t, std::size_t> piece(const ClimatologyPass& pass, std::size_t round, int rank) const {
    return points_of(points(), pass.rounds, round, ranks_, rank);
  }

  /// Records of all units. Shape: [unit, year, day, points of this rank].
  std::vector<float> gather(const ClimatologyPass& pass, std::size_t round) {
    const Stopwatch watch(outcome_.read_seconds);
    const auto [begin, end] = piece(pass, round, rank_);
    std::vector<float> records(pass.units() * contents().years.size() * climatology_days * (end - begin),
                               missing_value);
    std::vector<ClimatologyTime> wanted;
    std::copy_if(times_.present.begin(), times_.present.end(), std::back_inserter(wanted),
                 [&](const ClimatologyTime& t) {
                   return t.hour >= pass.first_hour && t.hour < pass.first_hour + pass.hours;
                 });
    const auto start = [&](int rank) {  // neighbours in time are often in the same chunk
      return wanted.size() * static_cast<std::size_t>(rank) / static_cast<std::size_t>(ranks_);
    };
    std::size_t longest = 0;
    for (int rank = 0; rank < ranks_; ++rank) {
      longest = std::max(longest, start(rank + 1) - start(rank));
    }
    for (std::size_t done = 0; done < longest && !stop(done); done += states_at_once) {
      std::vector<std::vector<ClimatologyTime>> batch(static_cast<std::size_t>(ranks_));
      for (int rank = 0; rank < ranks_; ++rank) {
        for (std::size_t i = start(rank) + done;
             i < std::min(start(rank) + done + states_at_once, start(rank + 1)); ++i) {
          batch[static_cast<std::size_t>(rank)].push_back(wanted[i]);
        }
      }
      exchange_states(pass, round, batch, records);
    }
    outcome_.states += round == 0 ? wanted.size() * pass.channels : 0;
    repeat_last_day(pass, end - begin, records);
    return records;
  }

  /// Every rank reads its states of the batch and gives each rank its points.
  void exchange_states(const ClimatologyPass& pass, std::size_t round,
                       const std::vector<std::vector<ClimatologyTime>>& batch, std::vector<float>& records) {
    const auto first = contents().channels.begin() + static_cast<std::ptrdiff_t>(pass.first_channel);
    const auto channels =
        std::make_shared<const ChannelSet>(first, first + static_cast<std::ptrdiff_t>(pass.channels));
    std::vector<State> states;
    std::vector<OutgoingValues> outgoing;
    for (const ClimatologyTime& t : batch[static_cast<std::size_t>(rank_)]) {
      states.push_back(store_->read(t.time, channels));
    }
    for (const State& state : states) {
      for (int rank = 0; rank < ranks_; ++rank) {
        const auto [begin, end] = piece(pass, round, rank);
        for (std::size_t c = 0; c < pass.channels && begin < end; ++c) {
          outgoing.push_back({rank, state.field(c).subspan(begin, end - begin)});
        }
      }
    }
    const auto [begin, end] = piece(pass, round, rank_);
    std::vector<IncomingValues> incoming;
    for (int rank = 0; rank < ranks_; ++rank) {
      for (const ClimatologyTime& t : batch[static_cast<std::size_t>(rank)]) {
        for (std::size_t c = 0; c < pass.channels && begin < end; ++c) {
          const std::size_t unit = c * pass.hours + t.hour - pass.first_hour;
          const std::size_t row = (unit * contents().years.size() + t.year) * climatology_days + t.day;
          incoming.push_back({rank, std::span(records).subspan(row * (end - begin), end - begin)});
        }
      }
    }
    comm_.exchange(outgoing, incoming);
  }

  /// Day 366 of years without one.
  void repeat_last_day(const ClimatologyPass& pass, std::size_t count, std::vector<float>& records) const {
    const std::vector<int>& years = contents().years;
    for (std::size_t k = 0; k < pass.units() * years.size(); ++k) {
      const Time new_year = parse_time(fmt::format("{:04d}-01-01", years[k % years.size()]));
      float* last = records.data() + (k * climatology_days + climatology_days - 1) * count;
      if (static_cast<std::size_t>(calendar(new_year).days_in_year) < climatology_days) {
        std::copy_n(last - count, count, last);
      }
    }
  }

  /// The fields of a unit at the points of this rank. Shape: [field, day, points].
  std::vector<float> compute(const ClimatologyPass& pass, std::size_t round, std::size_t unit,
                             const std::vector<float>& records) {
    const Stopwatch watch(outcome_.compute_seconds);
    const auto [begin, end] = piece(pass, round, rank_);
    const std::string& variable = channel_of(pass, unit).variable;
    const std::vector<ClimatologyField> fields = contents().fields(variable);
    const std::size_t size = climatology_days * (end - begin);
    std::vector<float> results(fields.size() * size);
    if (size == 0) {
      return results;
    }
    const std::size_t record = contents().years.size() * size;
    kernels::WindowStatisticsArgs args{.values = std::span(records).subspan(unit * record, record),
                                       .years = contents().years.size(),
                                       .days = climatology_days,
                                       .points = end - begin,
                                       .window = contents().window,
                                       .probabilities = contents().quantiles,
                                       .dry_below = dry_threshold(variable)};
    args.threads = request_.options.threads;
    for (std::size_t f = 0; f < fields.size(); ++f) {
      const std::span<float> field = std::span(results).subspan(f * size, size);
      if (fields[f].suffix.empty()) {
        args.mean = field;
      } else if (fields[f].suffix == "_std") {
        args.deviation = field;
      } else if (fields[f].quantile == 0) {
        args.quantiles = std::span(results).subspan(f * size, contents().quantiles.size() * size);
      } else if (fields[f].suffix == "_seeps_threshold") {
        args.wet_quantile = field;
      } else if (fields[f].suffix == "_seeps_dry_fraction") {
        args.dry_fraction = field;
      }
    }
    kernels::window_statistics(args);
    return results;
  }

  /// Brings the results of a unit to the owners of its chunks.
  void hand_over(const ClimatologyPass& pass, std::size_t round, std::size_t unit,
                 const std::vector<float>& results, std::vector<Chunk>& chunks) {
    const Stopwatch watch(outcome_.write_seconds);
    const auto [begin, end] = piece(pass, round, rank_);
    std::vector<OutgoingValues> outgoing;
    std::vector<IncomingValues> incoming;
    for (std::size_t k = 0; k < chunks.size(); ++k) {
      Chunk& chunk = chunks[k];
      if (chunk.unit != unit) {
        continue;
      }
      const std::size_t days = days_of(chunk.number);
      if (begin < end) {
        const std::size_t row = chunk.field * climatology_days + first_day(chunk.number);
        outgoing.push_back(
            {owner_of(k), std::span(results).subspan(row * (end - begin), days * (end - begin))});
      }
      for (int rank = 0; rank < ranks_ && owner_of(k) == rank_; ++rank) {
        const auto [from, to] = piece(pass, round, rank);
        if (from < to) {
          incoming.push_back({rank, std::span(chunk.values).subspan(from * days, (to - from) * days)});
        }
      }
    }
    comm_.exchange(outgoing, incoming);
  }

  /// A chunk [days, points] from its pieces.
  std::vector<float> assembled(const ClimatologyPass& pass, const Chunk& chunk) const {
    std::vector<float> values(chunk.values.size());
    const std::size_t days = days_of(chunk.number);
    for (std::size_t round = 0; round < pass.rounds; ++round) {
      for (int rank = 0; rank < ranks_; ++rank) {
        const auto [from, to] = piece(pass, round, rank);
        for (std::size_t day = 0; day < days; ++day) {
          std::copy_n(chunk.values.data() + from * days + day * (to - from), to - from,
                      values.data() + day * points() + from);
        }
      }
    }
    return values;
  }

  void write(const ClimatologyPass& pass, const std::vector<Chunk>& chunks) {
    const Stopwatch watch(outcome_.write_seconds);
    const std::vector<ClimatologyField> fields = contents().fields(channel_of(pass, 0).variable);
    parallel_for(chunks.size(), request_.options.threads, [&](std::size_t k) {
      const Chunk& chunk = chunks[k];
      if (owner_of(k) == rank_) {
        output_->write(channel_of(pass, chunk.unit), fields[chunk.field],
                       pass.first_hour + chunk.unit % pass.hours, chunk.number, assembled(pass, chunk));
      }
    });
  }

  /// Whether any rank was told to stop; asked now and then.
  bool stop(std::size_t states_done) {
    constexpr std::size_t now_and_then = 16 * states_at_once;
    if (states_done % now_and_then == 0) {
      double ranks_told = stop_requested() ? 1.0 : 0.0;
      comm_.sum_in_rank_order({&ranks_told, 1});
      outcome_.stopped = ranks_told > 0.0;
    }
    return outcome_.stopped;
  }

  const ClimatologyRequest& request_;
  const Comm& comm_;
  int ranks_, rank_;
  std::unique_ptr<FieldStore> store_;
  ClimatologyTimes times_;
  std::optional<ClimatologyOutput> output_;
  std::vector<ClimatologyPass> passes_;
  ClimatologyOutcome outcome_;
};

}  // namespace

ClimatologyOutcome compute_climatology(const ClimatologyRequest& request, const Comm& comm) {
  ClimatologyRun run(request, comm);
  run.set_up();
  return run.run();
}

}  // namespace mosaic::eval

#include "parallel/comm.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <numeric>

#include "base/error.hpp"
#include "parallel/session.hpp"

namespace mosaic {

namespace {

/// Starts a nonblocking MPI call under the lock and waits for its end without it.
template <class Start>
void run_collective(const char* call, const Start& start) {
  MPI_Request request = MPI_REQUEST_NULL;
  {
    const auto lock = lock_mpi();
    check_mpi(start(&request), call);
  }
  wait(request);
}

/// One value of every rank, in rank order.
std::vector<std::int64_t> gather_values(MPI_Comm comm, int ranks, std::int64_t value) {
  std::vector<std::int64_t> values(ranks);
  run_collective("MPI_Iallgather", [&](MPI_Request* request) {
    return MPI_Iallgather(&value, 1, MPI_INT64_T, values.data(), 1, MPI_INT64_T, comm, request);
  });
  return values;
}

void require_count(std::int64_t count) {
  require(count <= std::numeric_limits<int>::max(), "a message of {} values is longer than MPI's 2^31 - 1",
          count);
}

struct RankProblem {
  int code = 0;
  std::string text;
};

/// Inverse of "code:message"; nothing for an empty message.
RankProblem parse_problem(const std::string& coded) {
  RankProblem problem;
  const std::size_t colon = coded.find(':');
  std::from_chars(coded.data(), coded.data() + colon, problem.code);
  problem.text = coded.substr(colon + 1);
  return problem;
}

}  // namespace

Comm::Comm(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

int Comm::rank() const { return impl_->rank; }

int Comm::size() const { return impl_->size; }

void Comm::barrier() const {
  run_collective("MPI_Ibarrier", [&](MPI_Request* request) { return MPI_Ibarrier(impl_->handle, request); });
}

std::string Comm::broadcast(const std::string& text, int root) const {
  auto count = static_cast<std::int64_t>(text.size());
  run_collective("MPI_Ibcast", [&](MPI_Request* request) {
    return MPI_Ibcast(&count, 1, MPI_INT64_T, root, impl_->handle, request);
  });
  require_count(count);
  std::string result = rank() == root ? text : std::string(static_cast<std::size_t>(count), '\0');
  run_collective("MPI_Ibcast", [&](MPI_Request* request) {
    return MPI_Ibcast(result.data(), static_cast<int>(count), MPI_CHAR, root, impl_->handle, request);
  });
  return result;
}

std::vector<std::string> Comm::all_gather(const std::string& text) const {
  const std::vector<std::int64_t> sizes =
      gather_values(impl_->handle, size(), static_cast<std::int64_t>(text.size()));
  const std::int64_t total = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  require_count(total);
  const std::vector<int> counts(sizes.begin(), sizes.end());
  std::vector<int> offsets(counts.size());
  std::exclusive_scan(counts.begin(), counts.end(), offsets.begin(), 0);
  std::string joined(static_cast<std::size_t>(total), '\0');
  run_collective("MPI_Iallgatherv", [&](MPI_Request* request) {
    return MPI_Iallgatherv(text.data(), static_cast<int>(text.size()), MPI_CHAR, joined.data(), counts.data(),
                           offsets.data(), MPI_CHAR, impl_->handle, request);
  });
  std::vector<std::string> texts;
  for (int r = 0; r < size(); ++r) {
    texts.push_back(joined.substr(offsets[r], counts[r]));
  }
  return texts;
}

void Comm::sum_in_rank_order(std::span<double> values) const {
  const auto lengths = gather_values(impl_->handle, size(), static_cast<std::int64_t>(values.size()));
  require(std::adjacent_find(lengths.begin(), lengths.end(), std::not_equal_to<>()) == lengths.end(),
          "sum over ranks of arrays of different lengths: {}", fmt::join(lengths, ", "));
  constexpr std::size_t piece = 1 << 16;  // bounds the copy of all ranks' values
  std::vector<double> all;
  for (std::size_t first = 0; first < values.size(); first += piece) {
    const std::span<double> part = values.subspan(first, std::min(piece, values.size() - first));
    const int count = static_cast<int>(part.size());
    all.resize(part.size() * size());
    run_collective("MPI_Iallgather", [&](MPI_Request* request) {
      return MPI_Iallgather(part.data(), count, MPI_DOUBLE, all.data(), count, MPI_DOUBLE, impl_->handle,
                            request);
    });
    for (std::size_t i = 0; i < part.size(); ++i) {
      double sum = all[i];
      for (int r = 1; r < size(); ++r) {
        sum += all[r * part.size() + i];
      }
      part[i] = sum;
    }
  }
}

void Comm::require_agreement(int code, const std::string& message) const {
  const std::vector<std::string> all = all_gather(fmt::format("{}:{}", code, message));
  int first_code = 0;
  std::vector<std::string> lines;
  std::map<std::string, int> seen;
  for (int r = 0; r < size(); ++r) {
    const RankProblem problem = parse_problem(all[r]);
    if (problem.text.empty()) {
      continue;
    }
    first_code = first_code == 0 ? problem.code : first_code;
    if (seen[problem.text]++ == 0) {
      lines.push_back(fmt::format("[rank {}/{}] {}", r, size(), problem.text));
    }
  }
  if (!lines.empty()) {
    throw AgreedError(static_cast<ExitCode>(first_code), fmt::format("{}", fmt::join(lines, "\n")));
  }
}

void Comm::exchange(std::span<const OutgoingValues> outgoing,
                    std::span<const IncomingValues> incoming) const {
  constexpr int tag = 0;
  std::vector<MPI_Request> requests;
  const auto start = [&](std::size_t values, auto&& call) {
    require_count(static_cast<std::int64_t>(values));
    requests.push_back(MPI_REQUEST_NULL);
    const auto lock = lock_mpi();
    check_mpi(call(static_cast<int>(values), &requests.back()), "MPI_Isend or MPI_Irecv");
  };
  for (const IncomingValues& message : incoming) {
    start(message.values.size(), [&](int count, MPI_Request* request) {
      return MPI_Irecv(message.values.data(), count, MPI_FLOAT, message.from, tag, impl_->handle, request);
    });
  }
  for (const OutgoingValues& message : outgoing) {
    start(message.values.size(), [&](int count, MPI_Request* request) {
      return MPI_Isend(message.values.data(), count, MPI_FLOAT, message.to, tag, impl_->handle, request);
    });
  }
  wait_all(requests);
}

Comm Comm::duplicate() const {
  MPI_Comm handle = MPI_COMM_NULL;
  run_collective("MPI_Comm_idup",
                 [&](MPI_Request* request) { return MPI_Comm_idup(impl_->handle, &handle, request); });
  return Comm(std::make_shared<Impl>(handle));
}

Comm Comm::split(int group) const {
  MPI_Comm handle = MPI_COMM_NULL;
  {
    const auto lock = lock_mpi();
    check_mpi(MPI_Comm_split(impl_->handle, group, rank(), &handle), "MPI_Comm_split");
  }
  return Comm(std::make_shared<Impl>(handle));
}

Comm Comm::node() const {
  MPI_Comm handle = MPI_COMM_NULL;
  {
    const auto lock = lock_mpi();
    check_mpi(MPI_Comm_split_type(impl_->handle, MPI_COMM_TYPE_SHARED, rank(), MPI_INFO_NULL, &handle),
              "MPI_Comm_split_type");
  }
  return Comm(std::make_shared<Impl>(handle));
}

}  // namespace mosaic

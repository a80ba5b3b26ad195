#include "campaign/job_in_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "parallel/agree.hpp"

namespace mosaic {

namespace fs = std::filesystem;

JobInFolder::JobInFolder(const Comm& comm, const ResultsFolder& results, const RunIdentity& identity,
                         ExistingResults existing, const Shard& shard)
    : results_(results), shard_(shard) {
  agree(comm, [&] {
    if (comm.rank() == 0) {
      enter(identity, existing);
    }
  });
  name_ = comm.broadcast(name_);
  const std::string owner = comm.broadcast(comm.rank() == 0 ? to_json_text(locks_->owner()) : "");
  locks_.emplace(results.file("locks"), owner_from_json_text(owner));
}

void JobInFolder::enter(const RunIdentity& identity, ExistingResults existing) {
  const std::string folder = results_.file("locks");
  create_folder(results_.path());
  const JobOwner owner = this_job();
  announcement_ = std::make_unique<JobAnnouncement>(folder, owner);
  locks_.emplace(folder, owner);
  const double start = time_of_file(folder + "/" + owner.id + ".job").value_or(0);
  const std::vector<JobOwner> others = locks_->others_alive();
  if (existing == ExistingResults::overwrite && !others.empty()) {
    fail(ExitCode::bad_configuration,
         "{} is in use by {}: its results are not deleted; stop that job or choose another --out",
         results_.path(), others.front().text());
  }
  results_.claim(identity, existing);
  if (others.empty()) {
    locks_->remove_dead();
    results_.remove_leftovers(start);
  }
  if (shard_.count > 1) {
    name_ = fmt::format("{}of{}", shard_.index, shard_.count);
  } else if (!others.empty()) {
    name_ = owner.id;
  }
}

JobInFolder::~JobInFolder() {
  if (announcement_) {
    announcement_.reset();
    std::error_code others_are_there;
    fs::remove(results_.file("locks"), others_are_there);
  }
}

void JobInFolder::merge_logs() const {
  flush_log();
  const std::string beginning = locks_->others_alive().empty() ? "" : log_prefix();
  const fs::path target = results_.file("log/run.log");
  std::vector<fs::path> logs;
  for (const auto& entry : fs::directory_iterator(target.parent_path())) {
    if (entry.path() != target && entry.path().filename().string().starts_with(beginning)) {
      logs.push_back(entry.path());
    }
  }
  std::sort(logs.begin(), logs.end());
  std::ofstream merged(target, std::ios::app | std::ios::binary);
  require(merged.is_open(), ExitCode::cannot_create, "{}: cannot create: {}", target.string(),
          std::strerror(errno));
  for (const fs::path& log : logs) {
    merged << "# " << log.filename().string() << "\n" << read_text(log.string());
  }
  merged.close();
  require(merged.good(), ExitCode::io_error, "{}: write failed: {}", target.string(), std::strerror(errno));
  for (const fs::path& log : logs) {
    fs::remove(log);
  }
}

}  // namespace mosaic

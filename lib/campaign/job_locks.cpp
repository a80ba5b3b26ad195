#include "campaign/job_locks.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/machine.hpp"

namespace mosaic {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds between_signs_of_life{10};
constexpr double longest_silence = 120;  // [s]; a file system may be away for a while

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Field 22 of /proc/<pid>/stat, counted behind the name, which may hold anything; empty if there is none or
/// if it is dead and only waits for its parent to take notice.
std::string start_of_process(long pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) {
    return "";
  }
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  fields >> field;
  if (field == "Z" || field == "X") {
    return "";
  }
  for (int i = 4; i <= 22; ++i) {
    fields >> field;
  }
  return field;
}

/// The same for two processes only if each can see the other's pid.
std::string visible_processes() {
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
  std::error_code unknown;
  return boot + " " + fs::read_symlink("/proc/self/ns/pid", unknown).string();
}

/// Gives a file the file system's present time. False with errno.
bool touch(const std::string& file) { return utimensat(AT_FDCWD, file.c_str(), nullptr, 0) == 0; }

/// The owner that a file names; one without id while the file is being written or was cut short.
JobOwner read_owner(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  try {
    return owner_from_json_text(text.str());
  } catch (const nlohmann::json::exception&) {
    return {};
  }
}

}  // namespace

std::string JobOwner::text() const {
  return fmt::format("process {} on {}{} (since {})", pid, host,
                     slurm_job.empty() ? "" : ", Slurm job " + slurm_job, since);
}

JobOwner this_job() {
  JobOwner owner;
  owner.host = host_name();
  owner.processes = visible_processes();
  owner.pid = getpid();
  owner.process_start = start_of_process(owner.pid);
  owner.slurm_job = environment("SLURM_JOB_ID");
  owner.slurm_restarts = std::atoi(environment("SLURM_RESTART_COUNT").c_str());
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  owner.since = to_string(Time{std::chrono::duration_cast<std::chrono::seconds>(now).count()});
  owner.id = fmt::format("{}-{}-{}", owner.host, owner.pid,
                         std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
  return owner;
}

std::string to_json_text(const JobOwner& owner) {
  return nlohmann::json{{"id", owner.id},
                        {"host", owner.host},
                        {"processes", owner.processes},
                        {"pid", owner.pid},
                        {"process_start", owner.process_start},
                        {"slurm_job", owner.slurm_job},
                        {"slurm_restarts", owner.slurm_restarts},
                        {"since", owner.since}}
      .dump();
}

JobOwner owner_from_json_text(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  return {.id = json.at("id"),
          .host = json.at("host"),
          .processes = json.at("processes"),
          .pid = json.at("pid"),
          .process_start = json.at("process_start"),
          .slurm_job = json.at("slurm_job"),
          .slurm_restarts = json.at("slurm_restarts"),
          .since = json.at("since")};
}

JobLocks::JobLocks(std::string folder, JobOwner owner)
    : folder_(std::move(folder)), owner_(std::move(owner)), here_(this_job()) {}

std::string JobLocks::lock_file(const std::string& name, int generation) const {
  return fmt::format("{}/{}.{}.lock", folder_, name, generation);
}

/// By the file system's clock, which two hosts share when their own differ.
double JobLocks::seconds_since_sign_of_life(const std::string& file) const {
  const std::string mine = job_file(owner_.id);
  touch(mine);
  const auto now = time_of_file(mine);
  const auto theirs = time_of_file(file);
  return now && theirs ? *now - *theirs : longest_silence + 1;
}

bool JobLocks::sees_processes_of(const JobOwner& other) const {
  return !here_.process_start.empty() && other.host == here_.host && other.processes == here_.processes;
}

bool JobLocks::is_alive(const JobOwner& other) const {
  if (other.id == owner_.id) {
    return true;
  }
  const std::string file = job_file(other.id);
  if (!fs::exists(file)) {
    return false;  // it has ended
  }
  if (sees_processes_of(other)) {
    return start_of_process(other.pid) == other.process_start;
  }
  if (!other.slurm_job.empty() && other.slurm_job == owner_.slurm_job &&
      other.slurm_restarts < owner_.slurm_restarts) {
    return false;
  }
  return seconds_since_sign_of_life(file) <= longest_silence;
}

/// Not known to be gone, but overdue.
bool JobLocks::is_silent(const JobOwner& other) const {
  return !sees_processes_of(other) &&
         seconds_since_sign_of_life(job_file(other.id)) > 1.5 * between_signs_of_life.count();
}

std::vector<JobOwner> JobLocks::others_alive() const {
  std::vector<JobOwner> alive;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.path().extension() != ".job") {
      continue;
    }
    JobOwner other = read_owner(entry.path().string());
    other.id = entry.path().stem().string();
    if (other.id != owner_.id && is_alive(other)) {
      alive.push_back(std::move(other));
    }
  }
  return alive;
}

std::vector<int> JobLocks::generations(const std::string& name) const {
  std::vector<int> found;
  std::error_code gone;  // files come and go meanwhile
  for (auto entry = fs::directory_iterator(folder_, gone); entry != fs::directory_iterator();
       entry.increment(gone)) {
    const std::string file = entry->path().filename();
    if (file.starts_with(name + ".") && file.ends_with(".lock")) {
      std::from_chars(file.data() + name.size() + 1, file.data() + file.size(), found.emplace_back());
    }
  }
  require(!gone || gone == std::errc::no_such_file_or_directory, ExitCode::io_error,
          "{}: cannot list the folder: {}", folder_, gone.message());
  return found;
}

std::optional<JobLocks::Found> JobLocks::newest(const std::string& name) const {
  const std::vector<int> found = generations(name);
  if (found.empty()) {
    return std::nullopt;
  }
  const int generation = *std::max_element(found.begin(), found.end());
  return Found{generation, read_owner(lock_file(name, generation))};
}

/// Whether a living job other than ours holds the lock that was found.
bool JobLocks::is_held(const std::string& name, const Found& found) const {
  if (found.owner.id.empty()) {  // being written, just removed, or left so by a kill
    const std::string file = lock_file(name, found.generation);
    return !fs::exists(file) || seconds_since_sign_of_life(file) <= longest_silence;
  }
  return found.owner.id != owner_.id && is_alive(found.owner);
}

/// Removes the lock that was found, and not one of another job that has come to its place.
void JobLocks::remove(const std::string& name, const Found& found) const {
  const std::string file = lock_file(name, found.generation);
  if (read_owner(file).id == found.owner.id) {
    unlink(file.c_str());
  }
}

/// Whether another job has made its file since we looked: one removed meanwhile makes room for two, of which
/// the later one sees the other.
bool JobLocks::has_rival(const std::string& name, int ours) const {
  const std::vector<int> found = generations(name);
  return std::any_of(found.begin(), found.end(), [&](int generation) {
    return generation != ours && is_held(name, {generation, read_owner(lock_file(name, generation))});
  });
}

std::optional<JobOwner> JobLocks::holder(const std::string& name) const {
  const auto found = newest(name);
  return found && is_held(name, *found) ? std::optional(found->owner) : std::nullopt;
}

LockOutcome JobLocks::try_lock(const std::string& name) {
  for (;;) {
    const auto found = newest(name);
    if (found && found->owner.id == owner_.id) {
      return LockOutcome::locked;
    }
    if (found && !fs::exists(lock_file(name, found->generation))) {
      continue;  // removed by its holder while we looked
    }
    if (found && is_held(name, *found)) {
      return LockOutcome::held;
    }
    const Found ours{found ? found->generation + 1 : 1, owner_};
    if (!create_text_exclusively(lock_file(name, ours.generation), to_json_text(owner_))) {
      continue;
    }
    if (has_rival(name, ours.generation)) {
      remove(name, ours);
      // Not all as long: two that gave way to each other shall not meet again.
      std::this_thread::sleep_for(std::chrono::microseconds(std::hash<std::string>()(owner_.id) % 5000));
      continue;
    }
    if (!found) {
      return LockOutcome::locked;
    }
    log_warning("{} was locked by a job that is gone, {}, and is taken over", name, found->owner.text());
    remove(name, *found);
    return LockOutcome::taken_over;
  }
}

LockOutcome JobLocks::try_lock_after_sign_of_life(const std::string& name,
                                                  const std::function<bool()>& give_up) {
  // A job that has failed may take a moment to die.
  const auto soon = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  for (auto owner = holder(name); owner && !give_up(); owner = holder(name)) {
    if (!is_silent(*owner) && std::chrono::steady_clock::now() > soon) {
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return try_lock(name);
}

void JobLocks::unlock(const std::string& name) {
  try {
    const auto found = newest(name);
    if (found && found->owner.id == owner_.id) {
      remove(name, *found);
    }
  } catch (const Error& problem) {  // called by destructors
    log_warning("{}; the lock {} stays until this job has ended", problem.what(), name);
  }
}

void JobLocks::remove_dead() const {
  std::vector<std::pair<std::string, std::string>> dead;  // file, owner
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string extension = entry.path().extension();
    if (extension != ".job" && extension != ".lock") {
      continue;
    }
    JobOwner owner = read_owner(entry.path().string());
    if (extension == ".job") {
      owner.id = entry.path().stem().string();
    }
    const bool alive = owner.id.empty() ? seconds_since_sign_of_life(entry.path().string()) <= longest_silence
                                        : is_alive(owner);
    if (!alive) {
      dead.emplace_back(entry.path(), owner.id);
    }
  }
  for (const auto& [file, owner] : dead) {
    if (file.ends_with(".job") || read_owner(file).id == owner) {  // not taken over meanwhile
      unlink(file.c_str());
    }
  }
}

struct JobAnnouncement::Impl {
  std::string file;
  std::string text;
  std::mutex mutex;
  std::condition_variable_any ended;
  std::jthread thread;  // last: it uses what is above

  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, stop, between_signs_of_life, [] { return false; }) &&
           !stop.stop_requested()) {
      if (!touch(file) && errno == ENOENT) {  // another job took this one for dead
        std::ofstream(file) << text;
      }
    }
  }
};

JobAnnouncement::JobAnnouncement(const std::string& folder, const JobOwner& owner)
    : impl_(std::make_unique<Impl>()) {
  create_folder(folder);
  impl_->file = folder + "/" + owner.id + ".job";
  impl_->text = to_json_text(owner);
  require(create_text_exclusively(impl_->file, impl_->text), ExitCode::cannot_create, "{}: is there already",
          impl_->file);
  impl_->thread = std::jthread([this](const std::stop_token& stop) { impl_->run(stop); });
}

JobAnnouncement::~JobAnnouncement() {
  impl_->thread = {};
  unlink(impl_->file.c_str());
}

}  // namespace mosaic

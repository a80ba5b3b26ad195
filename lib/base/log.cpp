#include "base/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>

#include "base/error.hpp"

namespace mosaic {

namespace {

struct Log {
  std::shared_ptr<spdlog::logger> console = make_console();
  std::shared_ptr<spdlog::logger> file;
  LogOptions options;
  std::mutex mutex;

  static std::shared_ptr<spdlog::logger> make_console() {
    auto logger =
        std::make_shared<spdlog::logger>("console", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    logger->set_pattern("%H:%M:%S %^%l%$ %v");
    logger->set_level(spdlog::level::debug);
    return logger;
  }
};

Log& log_state() {
  static Log log;
  return log;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void set_up_log(const LogOptions& options) {
  Log& log = log_state();
  const std::lock_guard lock(log.mutex);
  log.options = options;
  log.file.reset();
  if (!options.file.empty()) {
    try {
      log.file = std::make_shared<spdlog::logger>(
          "file", std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file));
      log.file->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
      log.file->set_level(spdlog::level::debug);
      log.file->flush_on(spdlog::level::info);
    } catch (const spdlog::spdlog_ex& problem) {
      fail(ExitCode::cannot_create, "{}: cannot create the log file: {}", options.file, problem.what());
    }
  }
}

void flush_log() {
  Log& log = log_state();
  const std::lock_guard lock(log.mutex);
  if (log.file) {
    log.file->flush();
  }
}

void log_message(LogLevel level, std::string_view message) {
  Log& log = log_state();
  const std::lock_guard lock(log.mutex);
  if (log.file) {
    log.file->log(spdlog_level(level), message);
  }
  const bool of_interest = level >= LogLevel::warning || log.options.rank == 0;
  if (level < log.options.level || !of_interest) {
    return;
  }
  if (level >= LogLevel::warning && log.options.ranks > 1) {
    log.console->log(spdlog_level(level), "[rank {}/{}] {}", log.options.rank, log.options.ranks, message);
  } else {
    log.console->log(spdlog_level(level), message);
  }
}

}  // namespace mosaic

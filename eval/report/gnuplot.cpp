#include "eval/report/gnuplot.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"

namespace mosaic::eval {
namespace {

namespace fs = std::filesystem;

/// A folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "mosaic_report_XXXXXX").string();
    require(::mkdtemp(name.data()) != nullptr, ExitCode::cannot_create, "no temporary folder {}: {}", name,
            std::strerror(errno));
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code unimportant;
    fs::remove_all(path_, unimportant);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

/// gnuplot with these arguments; what it says goes to the file `output`. Its exit code.
int run_gnuplot(std::vector<std::string> arguments, const std::string& output) {
  arguments.insert(arguments.begin(), "gnuplot");
  std::vector<char*> pointers;
  for (std::string& argument : arguments) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t child = 0;
  const int problem = ::posix_spawnp(&child, "gnuplot", &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  require(
      problem == 0, ExitCode::missing_input,
      "gnuplot, which draws the figures of the HTML page, cannot be started: {}; install it (package "
      "gnuplot-nox of Debian and Ubuntu, on clusters: module load gnuplot) or ask for --format terminal or "
      "--format markdown",
      std::strerror(problem));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

/// Removes the first text from `begin` to `end`, both included.
void cut(std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  const std::size_t to = from == std::string::npos ? from : text.find(end, from + begin.size());
  if (to != std::string::npos) {
    text.erase(from, to + end.size() - from);
  }
}

std::string inline_svg(std::string text, const std::string& prefix) {
  const std::size_t begin = text.find("<svg");
  require(begin != std::string::npos, "gnuplot made no SVG");
  text.erase(0, begin);
  for (const char* attribute : {" xmlns=\"", " xmlns:xlink=\"", " width=\"", " height=\""}) {
    const std::size_t at = text.find(attribute);
    if (at < text.find('>')) {
      cut(text, attribute, "\"");
    }
  }
  cut(text, "<title>", "</title>");
  cut(text, "<desc>", "</desc>");
  replace_all(text, "xlink:href", "href");
  for (const char quote : {'\'', '"'}) {
    replace_all(text, fmt::format(" id={}", quote), fmt::format(" id={}{}", quote, prefix));
    replace_all(text, fmt::format("href={}#", quote), fmt::format("href={}#{}", quote, prefix));
  }
  replace_all(text, "url(#", "url(#" + prefix);
  return text;
}

}  // namespace

void require_gnuplot() {
  const TemporaryFolder folder;
  const int code = run_gnuplot({"--version"}, folder.file("output"));
  require(code == 0, ExitCode::missing_input, "gnuplot --version ends with {}: {}", code,
          read_text(folder.file("output")));
}

std::string svg_of(const std::string& terminal, const std::string& script, const std::string& prefix) {
  const TemporaryFolder folder;
  write_text(folder.file("script"), fmt::format("set terminal svg {}\nset output '{}'\n{}\nset output\n",
                                                terminal, folder.file("picture"), script));
  const int code = run_gnuplot({"-d", folder.file("script")}, folder.file("output"));
  const std::string said = read_text(folder.file("output"));
  require(code == 0 && fs::exists(folder.file("picture")), "gnuplot ended with {}: {}", code, said);
  return inline_svg(read_text(folder.file("picture")), prefix);
}

}  // namespace mosaic::eval

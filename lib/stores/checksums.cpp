#include "stores/checksums.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/parallel_for.hpp"

namespace mosaic {

namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::string_view suffix = ".mosaic_checksums.json";
constexpr const char* format_name = "mosaic checksums 1";
constexpr const char* remedy = "fetch it again, or make the manifest anew if it was changed on purpose";

/// Regular files below a folder relative to it, or the name of a file; manifests aside.
std::vector<std::string> files_of(const std::string& path) {
  if (!fs::is_directory(path)) {
    require(fs::exists(path), ExitCode::missing_input, "{}: no such file or folder", path);
    return {fs::path(path).filename().string()};
  }
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file() && !entry.path().filename().string().ends_with(suffix)) {
      names.push_back(entry.path().lexically_relative(path).string());
    }
  }
  return names;
}

std::string place_of(const std::string& path, const std::string& name) {
  return fs::is_directory(path) ? path + "/" + name : path;
}

}  // namespace

std::string ChecksumManifest::default_path(const std::string& path) {
  return fs::is_directory(path) ? path + "/" + std::string(suffix) : path + std::string(suffix);
}

ChecksumManifest ChecksumManifest::of(const std::string& path, int threads) {
  const std::vector<std::string> names = files_of(path);
  std::vector<Entry> entries(names.size());
  parallel_for(names.size(), threads, [&](std::size_t i) {
    const std::string place = place_of(path, names[i]);
    entries[i] = {fs::file_size(place), sha256_of_file(place)};
  });
  ChecksumManifest manifest;
  for (std::size_t i = 0; i < names.size(); ++i) {
    manifest.files_[names[i]] = std::move(entries[i]);
  }
  return manifest;
}

ChecksumManifest ChecksumManifest::load(const std::string& path) {
  require(fs::exists(path), ExitCode::missing_input,
          "{}: no checksum manifest; `mosaic_data verify PATH --write-checksums` makes one", path);
  const auto document = ordered_json::parse(read_text(path), nullptr, false);
  const auto bad = [&](const std::string& reason) {
    fail(ExitCode::corrupt_input, "{}: is no checksum manifest: {}", path, reason);
  };
  if (!document.is_object() || document.value("format", ordered_json()) != format_name ||
      !document.contains("files") || !document["files"].is_object()) {
    bad(fmt::format("not a JSON object with format \"{}\" and files", format_name));
  }
  ChecksumManifest manifest;
  for (const auto& [name, entry] : document["files"].items()) {
    const bool whole = entry.is_object() && entry.contains("bytes") && entry["bytes"].is_number_unsigned() &&
                       entry.contains("sha256") && entry["sha256"].is_string();
    if (!whole) {
      bad(name + " lacks bytes or sha256");
    }
    manifest.files_[name] = {entry["bytes"].get<std::uint64_t>(), entry["sha256"].get<std::string>()};
  }
  return manifest;
}

void ChecksumManifest::write(const std::string& path) const {
  ordered_json files = ordered_json::object();
  for (const auto& [name, entry] : files_) {
    files[name] = {{"bytes", entry.bytes}, {"sha256", entry.sha256}};
  }
  const ordered_json document = {{"format", format_name}, {"files", files}};
  write_text_atomically(path, document.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

std::vector<std::string> ChecksumManifest::differences(const ChecksumManifest& now) const {
  std::vector<std::string> lines;
  for (const auto& [name, entry] : files_) {
    const auto found = now.files_.find(name);
    if (found == now.files_.end()) {
      lines.push_back("missing: " + name);
    } else if (found->second.bytes != entry.bytes) {
      lines.push_back(
          fmt::format("differs: {} ({} bytes, {} in the manifest)", name, found->second.bytes, entry.bytes));
    } else if (found->second != entry) {
      lines.push_back("differs: " + name);
    }
  }
  for (const auto& [name, entry] : now.files_) {
    if (!files_.contains(name)) {
      lines.push_back("extra: " + name);
    }
  }
  return lines;
}

void ChecksumManifest::check(const std::string& file, std::string_view bytes,
                             const std::string& where) const {
  const auto found = files_.find(file);
  require(found != files_.end(), ExitCode::corrupt_input, "{}: is not in the checksum manifest; {}", where,
          remedy);
  require(found->second == Entry{bytes.size(), sha256_of_text(bytes)}, ExitCode::corrupt_input,
          "{}: differs from its checksum in the manifest; {}", where, remedy);
}

void ChecksumManifest::check_file(const std::string& file, const std::string& path) const {
  const auto found = files_.find(file);
  require(found != files_.end(), ExitCode::corrupt_input, "{}: is not in the checksum manifest; {}", path,
          remedy);
  require(fs::exists(path), ExitCode::missing_input, "{}: is in the checksum manifest, but absent", path);
  require(found->second == Entry{fs::file_size(path), sha256_of_file(path)}, ExitCode::corrupt_input,
          "{}: differs from its checksum in the manifest; {}", path, remedy);
}

std::string verify_checksums(const std::string& path, const std::string& manifest, int threads) {
  const std::string file = manifest.empty() ? ChecksumManifest::default_path(path) : manifest;
  const ChecksumManifest expected = ChecksumManifest::load(file);
  const auto differences = expected.differences(ChecksumManifest::of(path, threads));
  require(differences.empty(), ExitCode::corrupt_input, "{}: {} files are not as {} says ({}):\n  {}", path,
          differences.size(), file, remedy, fmt::join(differences, "\n  "));
  return fmt::format("{}: {} files, all as {} says\n", path, expected.size(), file);
}

}  // namespace mosaic

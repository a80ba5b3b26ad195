#include "stores/forecast_store.hpp"

#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "stores/gridded_forecasts.hpp"
#include "stores/npz_forecasts.hpp"
#include "stores/path_list.hpp"

namespace mosaic {

namespace {

namespace fs = std::filesystem;

bool is_zarr(const fs::path& folder) {
  return folder.extension() == ".zarr" || fs::exists(folder / ".zgroup") || fs::exists(folder / ".zmetadata");
}

bool is_npz(const std::string& path) { return path.ends_with(".npz"); }

std::vector<std::string> files_with(const fs::path& folder, const std::string& extension) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == extension) {
      files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// The forecasts in a folder that is no Zarr store: of a run (forecasts/ inside), or plain files.
std::vector<std::string> files_of_folder(const fs::path& folder) {
  const fs::path inner = fs::is_directory(folder / "forecasts") ? folder / "forecasts" : folder;
  for (const char* extension : {".nc", ".npz"}) {
    if (auto files = files_with(inner, extension); !files.empty()) {
      return files;
    }
  }
  fail(ExitCode::missing_input, "{}: neither a Zarr store nor a folder with forecasts (*.nc, *.npz)",
       inner.string());
}

}  // namespace

std::vector<std::string> forecast_files(const std::string& path) {
  std::vector<std::string> files;
  for (const std::string& found : expand_paths(path, "file")) {
    if (fs::is_directory(found) && !is_zarr(found)) {
      const auto inside = files_of_folder(found);
      files.insert(files.end(), inside.begin(), inside.end());
    } else {
      files.push_back(found);
    }
  }
  return files;
}

std::unique_ptr<ForecastStore> open_forecast_store(const std::string& path,
                                                   const ForecastStoreOptions& options) {
  const std::vector<std::string> files = forecast_files(path);
  const auto npz = std::count_if(files.begin(), files.end(), is_npz);
  if (npz == 0) {
    return std::make_unique<GriddedForecasts>(files, path, options);
  }
  require(static_cast<std::size_t>(npz) == files.size(), ExitCode::corrupt_input,
          "{}: {} of {} files are .npz; open one kind at a time", path, npz, files.size());
  return std::make_unique<NpzForecasts>(files, path, options);
}

}  // namespace mosaic

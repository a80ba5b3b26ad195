#include "stores/netcdf_fields.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "base/error.hpp"
#include "base/files.hpp"
#include "stores/checksums.hpp"
#include "stores/netcdf_catalog.hpp"
#include "stores/netcdf_lock.hpp"
#include "stores/path_list.hpp"

namespace mosaic {

namespace {

/// One or several NetCDF files as one series of states. Files are opened when they are needed; one stays
/// open.
class NetcdfFields : public FieldStore {
 public:
  NetcdfFields(const std::vector<std::string>& files, const std::string& name,
               const FieldStoreOptions& options);
  ~NetcdfFields() override {
    const NetcdfLock lock;
    open_file_.reset();
  }

  bool has(const Channel& channel) const override;
  StoreContents contents() const override;
  State read(Time time, const std::shared_ptr<const ChannelSet>& channels) override;
  std::vector<float> read_static(const std::string& variable) override;

 private:
  struct Place {
    std::size_t file;
    std::size_t time;  // index in the file
  };

  void join();
  const netCDF::NcFile& open(std::size_t file);
  std::string obstacle(const NetcdfCatalog& catalog, const Channel& channel) const;
  void read_field(std::size_t file, const CatalogVariable& variable, std::size_t time, std::size_t level,
                  std::span<float> field);

  std::vector<NetcdfCatalog> catalogs_;
  std::map<Time, Place> places_;
  std::unique_ptr<netCDF::NcFile> open_file_;
  std::size_t open_index_ = 0;
};

NetcdfFields::NetcdfFields(const std::vector<std::string>& files, const std::string& name,
                           const FieldStoreOptions& options)
    : FieldStore(name) {
  for (const std::string& path : files) {
    if (options.verify_checksums) {  // the whole file, once: the library reads it as it likes
      ChecksumManifest::load(ChecksumManifest::default_path(path))
          .check_file(std::filesystem::path(path).filename().string(), path);
    }
    const NetcdfLock lock;
    netcdf_call(ExitCode::corrupt_input, path, [&] {
      const netCDF::NcFile file(path, netCDF::NcFile::read);
      catalogs_.push_back(read_catalog(path, file, options.member));
    });
  }
  join();
}

void NetcdfFields::join() {
  const NetcdfCatalog& first = catalogs_.front();
  grid_ = std::make_shared<const LatLonGrid>(first.axes.grid);
  std::string metadata;
  for (std::size_t f = 0; f < catalogs_.size(); ++f) {
    const NetcdfCatalog& catalog = catalogs_[f];
    require(catalog.axes.grid == first.axes.grid, ExitCode::corrupt_input, "{} and {} have different grids",
            first.path, catalog.path);
    for (std::size_t t = 0; t < catalog.times.size(); ++t) {
      const auto [place, fresh] = places_.try_emplace(catalog.times[t], Place{f, t});
      require(fresh, ExitCode::corrupt_input, "{} is in {} and again in {}", to_string(catalog.times[t]),
              catalogs_[place->second.file].path, catalog.path);
    }
    metadata += catalog.metadata + "\n";
  }
  for (const auto& [time, place] : places_) {
    times_.push_back(time);
  }
  identity_ = sha256_of_text(metadata);
}

const netCDF::NcFile& NetcdfFields::open(std::size_t file) {
  if (!open_file_ || open_index_ != file) {
    open_file_.reset();
    open_file_ = std::make_unique<netCDF::NcFile>(catalogs_[file].path, netCDF::NcFile::read);
    open_index_ = file;
  }
  return *open_file_;
}

/// Why a channel cannot be read, in a few words; empty if it can.
std::string NetcdfFields::obstacle(const NetcdfCatalog& catalog, const Channel& channel) const {
  const std::string name = channel.name();
  const auto found = catalog.variables.find(channel.variable);
  if (found == catalog.variables.end()) {
    return name + " (no such variable)";
  }
  const CatalogVariable& variable = found->second;
  if (channel.level &&
      std::find(variable.levels.begin(), variable.levels.end(), *channel.level) == variable.levels.end()) {
    return name + (variable.levels.empty() ? " (has no levels)" : " (no such level)");
  }
  if (!channel.level && variable.has_axis(AxisRole::level)) {
    return name + " (needs a level)";
  }
  return "";
}

bool NetcdfFields::has(const Channel& channel) const {
  return std::all_of(catalogs_.begin(), catalogs_.end(),
                     [&](const NetcdfCatalog& catalog) { return obstacle(catalog, channel).empty(); });
}

/// As the first file has it. The table of variables tells what a scalar level is of, and, in a file of one
/// time that is no dimension, which variables have none.
StoreContents NetcdfFields::contents() const {
  static const std::set<std::string> timeless = {"geopotential_at_surface", "land_sea_mask", "soil_type"};
  const NetcdfCatalog& catalog = catalogs_.front();
  StoreContents contents;
  for (const auto& [name, variable] : catalog.variables) {
    const bool in_time =
        variable.has_axis(AxisRole::time) || (catalog.times.size() == 1 && !timeless.contains(name));
    const VariableInfo* info = find_variable(name);
    const bool near_ground = info != nullptr && info->height.has_value();
    if (!in_time) {
      const bool is_static = !variable.has_axis(AxisRole::level);
      (is_static ? contents.statics : contents.others)
          .push_back(is_static ? name : name + " (has levels, but no time)");
    } else if (variable.levels.empty() || (near_ground && !variable.has_axis(AxisRole::level))) {
      contents.channels.push_back({name, std::nullopt});
    } else {
      std::vector<int> levels = variable.levels;
      std::sort(levels.begin(), levels.end());
      for (const int level : levels) {
        contents.channels.push_back({name, level});
      }
    }
  }
  return contents;
}

/// The stored order of latitude and longitude, and which runs faster, are undone here.
void NetcdfFields::read_field(std::size_t file, const CatalogVariable& variable, std::size_t time,
                              std::size_t level, std::span<float> field) {
  const NetcdfCatalog& catalog = catalogs_[file];
  const std::size_t rows = grid_->latitude.size();
  const std::size_t columns = grid_->longitude.size();
  const std::map<AxisRole, std::size_t> index = {{AxisRole::time, time},
                                                 {AxisRole::level, level},
                                                 {AxisRole::member, catalog.member},
                                                 {AxisRole::lead, catalog.lead}};
  std::vector<std::size_t> start(variable.roles.size(), 0);
  std::vector<std::size_t> count(variable.roles.size(), 1);
  const auto first_horizontal = std::find_if(variable.roles.begin(), variable.roles.end(), [](AxisRole role) {
    return role == AxisRole::latitude || role == AxisRole::longitude;
  });
  const bool longitude_is_slower = *first_horizontal == AxisRole::longitude;
  for (std::size_t d = 0; d < variable.roles.size(); ++d) {
    const AxisRole role = variable.roles[d];
    if (role == AxisRole::latitude) {
      count[d] = rows;
    } else if (role == AxisRole::longitude) {
      count[d] = columns;
    } else if (index.contains(role)) {
      start[d] = index.at(role);
    }
  }
  std::vector<double> stored(grid_->points());
  {
    const NetcdfLock lock;
    netcdf_call(ExitCode::corrupt_input, fmt::format("{}: variable {}", catalog.path, variable.name),
                [&] { open(file).getVar(variable.name).getVar(start, count, stored.data()); });
  }
  std::size_t point = 0;
  for (const std::size_t j : catalog.axes.stored_latitude) {
    for (const std::size_t i : catalog.axes.stored_longitude) {
      const double value = stored[longitude_is_slower ? i * rows + j : j * columns + i];
      const bool missing =
          std::find(variable.missing.begin(), variable.missing.end(), value) != variable.missing.end();
      field[point++] = missing ? std::numeric_limits<float>::quiet_NaN()
                               : static_cast<float>(value * variable.scale + variable.offset);
    }
  }
}

State NetcdfFields::read(Time time, const std::shared_ptr<const ChannelSet>& channels) {
  std::vector<std::string> missing;
  const auto place = places_.find(time);
  if (place == places_.end()) {
    missing.push_back(times_.empty()
                          ? fmt::format("time {} (there are no times)", to_string(time))
                          : fmt::format("time {} (there are {} from {} to {})", to_string(time),
                                        times_.size(), to_string(times_.front()), to_string(times_.back())));
  }
  const std::size_t file = place == places_.end() ? 0 : place->second.file;
  for (const Channel& channel : *channels) {
    if (std::string reason = obstacle(catalogs_[file], channel); !reason.empty()) {
      missing.push_back(std::move(reason));
    }
  }
  require(missing.empty(), ExitCode::missing_input, "{}: missing: {}", catalogs_[file].path,
          fmt::join(missing, "; "));
  State state{time, grid_, channels, std::vector<float>(channels->size() * grid_->points())};
  for (std::size_t c = 0; c < channels->size(); ++c) {
    const Channel& channel = (*channels)[c];
    const CatalogVariable& variable = catalogs_[file].variables.at(channel.variable);
    const auto level = channel.level
                           ? std::find(variable.levels.begin(), variable.levels.end(), *channel.level) -
                                 variable.levels.begin()
                           : 0;
    read_field(file, variable, place->second.time, static_cast<std::size_t>(level), state.field(c));
  }
  return state;
}

std::vector<float> NetcdfFields::read_static(const std::string& variable) {
  const auto found = catalogs_.front().variables.find(variable);
  require(found != catalogs_.front().variables.end(), ExitCode::missing_input, "{}: no variable {}",
          catalogs_.front().path, variable);
  require(!found->second.has_axis(AxisRole::level), ExitCode::corrupt_input, "{}: {} has levels",
          catalogs_.front().path, variable);
  std::vector<float> field(grid_->points());
  read_field(0, found->second, 0, 0, field);
  return field;
}

}  // namespace

std::vector<std::string> netcdf_files(const std::string& path) { return expand_paths(path, "NetCDF file"); }

std::unique_ptr<FieldStore> open_netcdf_files(const std::vector<std::string>& files, const std::string& name,
                                              const FieldStoreOptions& options) {
  return std::make_unique<NetcdfFields>(files, name, options);
}

std::unique_ptr<FieldStore> open_netcdf_fields(const std::string& path, const FieldStoreOptions& options) {
  return open_netcdf_files(netcdf_files(path), path, options);
}

}  // namespace mosaic

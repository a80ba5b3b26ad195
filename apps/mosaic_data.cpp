#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "apps/climatology_command.hpp"
#include "apps/command_line.hpp"
#include "apps/simulate_command.hpp"
#include "apps/statistics_command.hpp"
#include "apps/world_climate_command.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/version.hpp"
#include "forecast/hindcast.hpp"
#include "model/checkpoint.hpp"
#include "parallel/comm.hpp"
#include "stores/checksums.hpp"
#include "stores/convert.hpp"
#include "stores/inspect.hpp"
#include "stores/netcdf_probe.hpp"
#include "stores/regrid.hpp"
#include "stores/tensor_checksum.hpp"

namespace {

using namespace mosaic;

struct InspectFlags {
  std::vector<std::string> files;
  bool json = false;
};

struct ConvertFlags {
  std::string from;
  std::string to;
  std::vector<std::string> metadata;  // key=value
  std::string preset;
  std::string network;
  std::string assets = "config/mosaic";
};

CLI::App* add_inspect(CLI::App& program, InspectFlags& flags) {
  CLI::App* command =
      program.add_subcommand("inspect", "Show what tensor files, Zarr and NetCDF stores hold");
  command->add_option("FILE", flags.files, "Safetensors, .pt, .npz, .npy, Zarr or NetCDF")->required();
  command->add_flag("--json", flags.json, "One JSON object per file and line");
  command->footer("Example: mosaic_data inspect checkpoint.pt era5.zarr");
  return command;
}

CLI::App* add_convert(CLI::App& program, ConvertFlags& flags) {
  CLI::App* command = program.add_subcommand("convert", "Write a .pt or .npz file as safetensors");
  command->add_option("IN", flags.from, "A .pt, .npz, .npy or safetensors file")->required();
  command->add_option("OUT", flags.to, "The safetensors file to write")->required();
  command->add_option("--metadata", flags.metadata, "key=value for the metadata of OUT (may be repeated)")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  CLI::Option* preset = command->add_option(
      "--preset", flags.preset,
      "IN holds the published network era5 or hres: check it, add its neighbour tables, say so in OUT");
  command
      ->add_option("--network", flags.network,
                   "IN holds the network of this file (YAML): check it, say so in OUT")
      ->excludes(preset);
  command->add_option("--assets", flags.assets, "Folder of the neighbour tables, with --preset")
      ->capture_default_str();
  command->footer("Example: mosaic_data convert checkpoint.pt weights.safetensors --preset era5");
  return command;
}

CLI::App* add_network(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "network", "Print a network file with every key explained: the published era5 network");
  command->footer("Example: mosaic_data network > my_network.yaml");
  return command;
}

struct VerifyFlags {
  std::string path;
  std::string manifest;          ///< empty: the default one
  CLI::Option* check = nullptr;  ///< --checksums
  CLI::Option* write = nullptr;  ///< --write-checksums
  int threads = 4;
};

CLI::App* add_verify(CLI::App& program, VerifyFlags& flags) {
  CLI::App* command = program.add_subcommand(
      "verify", "Check configuration, weights and input of a hindcast, or files against their checksums");
  command
      ->add_option("PATH", flags.path,
                   "Configuration of mosaic_hindcast (YAML); weights; with --checksums a store or any file")
      ->required();
  flags.check = command
                    ->add_option("--checksums", flags.manifest,
                                 "Compare every file of PATH with a manifest (default: the one beside it)")
                    ->expected(0, 1);
  flags.write = command->add_option("--write-checksums", flags.manifest, "Make the manifest")->expected(0, 1);
  flags.check->excludes(flags.write);
  command->add_option("--threads", flags.threads, "Files that are read at once")->check(CLI::Range(1, 256));
  command->footer(
      "Examples: mosaic_data verify config/demo/hindcast_demo.yaml\n"
      "          mosaic_data verify era5.zarr --write-checksums\n"
      "          mosaic_data verify era5.zarr --checksums");
  return command;
}

struct RegridFlags {
  std::string from;
  std::string to;
  std::string grid;
  FieldStoreOptions options;
};

CLI::App* add_regrid(CLI::App& program, RegridFlags& flags) {
  flags.options.threads = 4;
  CLI::App* command =
      program.add_subcommand("regrid", "Bring a Zarr or NetCDF store to another grid, conserving area means");
  command->add_option("INPUT", flags.from, "Zarr store, NetCDF file, pattern or list of files")->required();
  command->add_option("OUTPUT", flags.to, "The Zarr store to write; must not exist")->required();
  command
      ->add_option("--grid", flags.grid,
                   "LONGITUDESxLATITUDES; an odd number of latitudes has both poles, an even one neither")
      ->required();
  command->add_option("--member", flags.options.member, "Which member, if INPUT has several");
  command->add_option("--threads", flags.options.threads, "Chunks and fields at once")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->footer("Example: mosaic_data regrid era5_721.zarr era5_121.zarr --grid 240x121");
  return command;
}

void regrid(const RegridFlags& flags) {
  const LatLonGrid grid = parse_grid(flags.grid);
  probe_netcdf(flags.from, flags.options);
  const Regridded result = regrid_store(flags.from, flags.to, grid, flags.options);
  fmt::print("{}: {} times of {} channels, {} fields without time\n", flags.to, result.times,
             result.channels.size(), result.statics.size());
  for (const std::string& name : result.left_out) {
    fmt::print("left out: {}\n", name);
  }
}

void verify_configuration(const std::string& path) {
  HindcastConfig config;
  ConfigSchema schema;
  add_hindcast_keys(schema, config);
  schema.read(read_text(path), path);
  schema.check();
  probe_hindcast_input(config);
  fmt::print("{}", hindcast_plan(set_up_hindcast(config), 1, {}));
}

bool names_tensors(const std::string& path) {
  return path.ends_with(".safetensors") || path.ends_with(".pt") || path.ends_with(".npz");
}

void verify(const VerifyFlags& flags) {
  if (flags.write->count() > 0) {
    const auto file = flags.manifest.empty() ? ChecksumManifest::default_path(flags.path) : flags.manifest;
    const auto manifest = ChecksumManifest::of(flags.path, flags.threads);
    manifest.write(file);
    fmt::print("{}: {} files\n", file, manifest.size());
  } else if (flags.check->count() > 0) {
    fmt::print("{}", verify_checksums(flags.path, flags.manifest, flags.threads));
  } else if (names_tensors(flags.path)) {
    fmt::print("{}", verify_tensors(*open_tensor_file(flags.path)));
  } else {
    verify_configuration(flags.path);
  }
}

void inspect_all(const InspectFlags& flags) {
  for (const auto& file : flags.files) {
    if (is_field_store(file)) {
      probe_store(file);
    }
    fmt::print("{}", inspect(file, flags.json ? InspectFormat::json : InspectFormat::text));
  }
}

std::map<std::string, std::string> split_metadata(const std::vector<std::string>& items) {
  std::map<std::string, std::string> metadata;
  for (const auto& item : items) {
    const std::size_t equals = item.find('=');
    require(equals != std::string::npos && equals > 0, ExitCode::usage, "--metadata {}: is not key=value",
            item);
    metadata[item.substr(0, equals)] = item.substr(equals + 1);
  }
  return metadata;
}

Conversion converted(const ConvertFlags& flags) {
  const auto metadata = split_metadata(flags.metadata);
  if (!flags.preset.empty()) {
    const NetworkDescription description = published_description(flags.preset);
    const auto neighbours =
        fmt::format("{}/neighbours_k{}.npz", flags.assets, description.network.neighbours);
    return convert_checkpoint(flags.from, flags.to, description, neighbours, metadata);
  }
  if (!flags.network.empty()) {
    const NetworkDescription description = parse_network_file(read_text(flags.network), flags.network);
    return convert_checkpoint(flags.from, flags.to, description, "", metadata);
  }
  return convert_to_safetensors(flags.from, flags.to, metadata);
}

void convert(const ConvertFlags& flags) {
  const Conversion result = converted(flags);
  fmt::print("{}: {} tensors, {} bytes\n", flags.to, result.tensors, result.bytes);
}

int run(int argc, char** argv) {
  CLI::App program{"Look at, check, convert, regrid and make the files of the Mosaic suite"};
  program.set_version_flag("--version", version_text());
  program.require_subcommand(1);
  program.footer(
      "Example: mosaic_data inspect checkpoint.pt\nmosaic_data COMMAND --help explains a command.");
  InspectFlags inspect_flags;
  ConvertFlags convert_flags;
  const CLI::App* inspect_command = add_inspect(program, inspect_flags);
  const CLI::App* convert_command = add_convert(program, convert_flags);
  const CLI::App* network_command = add_network(program);
  VerifyFlags verify_flags;
  const CLI::App* verify_command = add_verify(program, verify_flags);
  RegridFlags regrid_flags;
  const CLI::App* regrid_command = add_regrid(program, regrid_flags);
  const ClimatologyCommand climatology(program);
  const StatisticsCommand statistics(program);
  const SimulateCommand simulation(program);
  const WorldClimateCommand world_climate(program);

  if (const auto code = end_of_parsing(program, argc, argv)) {
    return *code;
  }
  if (climatology.parsed()) {
    return climatology.run(Comm::world());
  }
  if (statistics.parsed()) {
    return statistics.run(Comm::world());
  }
  if (simulation.parsed()) {
    return simulation.run(Comm::world());
  }
  if (world_climate.parsed()) {
    return world_climate.run(Comm::world());
  }
  const bool speaks = Comm::world().rank() == 0;  // of the others the first rank does the work
  if (speaks && inspect_command->parsed()) {
    inspect_all(inspect_flags);
  }
  if (speaks && convert_command->parsed()) {
    convert(convert_flags);
  }
  if (speaks && network_command->parsed()) {
    fmt::print("{}", network_file_reference());
  }
  if (speaks && verify_command->parsed()) {
    verify(verify_flags);
  }
  if (speaks && regrid_command->parsed()) {
    regrid(regrid_flags);
  }
  return static_cast<int>(ExitCode::complete);
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto code = mosaic::run_netcdf_probe(argc, argv)) {
    return *code;
  }
  return mosaic::run_app(argc, argv, run);
}

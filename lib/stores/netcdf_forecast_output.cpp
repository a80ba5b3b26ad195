#include "stores/netcdf_forecast_output.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <netcdf>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/parallel_for.hpp"
#include "stores/netcdf_define.hpp"
#include "stores/netcdf_image.hpp"

namespace mosaic {

namespace fs = std::filesystem;

namespace {

/// One field per chunk: length 1 except for the last two dimensions.
std::vector<std::size_t> field_chunk(const NetcdfDocument& document, const NetcdfVariable& variable) {
  std::vector<std::size_t> chunk(variable.dimensions.size(), 1);
  for (std::size_t i = chunk.size() - 2; i < chunk.size(); ++i) {
    chunk[i] = document.dimension(variable.dimensions[i]);
  }
  return chunk;
}

void define_fields(netCDF::NcGroup& file, const netcdf::Dimensions& dimensions, const ForecastFile& contents,
                   int deflate) {
  for (const auto& variable : contents.variables) {
    const auto& declaration = variable.declaration;
    netcdf::define_variable(file, dimensions, declaration,
                            {deflate, field_chunk(contents.document, declaration)});
  }
}

}  // namespace

ForecastOutput::ForecastOutput(const ForecastWriterOptions& options, std::vector<ForecastFile> files)
    : options_(options) {
  try {
    for (auto& contents : files) {
      const std::string path = (fs::path(options.folder) / contents.name).string();
      files_.push_back({path, fmt::format("{}.part.tmp{}", path, getpid()), std::move(contents), nullptr});
      create(files_.back());
    }
  } catch (...) {
    for (const auto& file : files_) {
      unlink(file.temporary.c_str());
    }
    throw;
  }
}

ForecastOutput::~ForecastOutput() {
  for (auto& file : files_) {
    file.chunks.reset();
    unlink(file.temporary.c_str());
  }
}

void ForecastOutput::create(OpenFile& file) const {
  const std::string image = netcdf_image(file.path, [&](netCDF::NcGroup& target) {
    const NetcdfDocument& document = file.contents.document;
    const auto dimensions = netcdf::define_dimensions(target, document);
    std::vector<netCDF::NcVar> coordinates;
    for (const auto& variable : document.variables) {
      coordinates.push_back(netcdf::define_variable(target, dimensions, variable, {}));
    }
    define_fields(target, dimensions, file.contents, options_.deflate);
    netcdf::put_attributes(target, document.attributes);
    for (std::size_t i = 0; i < coordinates.size(); ++i) {
      netcdf::put_values(coordinates[i], document.variables[i]);
    }
  });
  write_text(file.temporary, image);
  std::vector<std::string> names;
  for (const auto& variable : file.contents.variables) {
    names.push_back(variable.declaration.name);
  }
  file.chunks = std::make_unique<ChunkedNetcdfFile>(file.temporary, names);
}

std::vector<ForecastOutput::Task> ForecastOutput::tasks_of_lead(std::size_t time_index, std::size_t channels,
                                                                std::size_t points) const {
  std::vector<Task> tasks;
  for (const auto& file : files_) {
    for (std::size_t v = 0; v < file.contents.variables.size(); ++v) {
      const ForecastVariable& variable = file.contents.variables[v];
      for (std::size_t r = 0; r < variable.sources.size(); ++r) {
        for (std::size_t level = 0; level < variable.channels.size(); ++level) {
          std::vector<std::size_t> offset = {time_index};
          if (variable.has_realization) {
            offset.push_back(r);
          }
          if (variable.has_level) {
            offset.push_back(level);
          }
          offset.insert(offset.end(), {0, 0});
          tasks.push_back({file.chunks.get(), v, std::move(offset),
                           (variable.sources[r] * channels + variable.channels[level]) * points});
        }
      }
    }
  }
  return tasks;
}

void ForecastOutput::write_lead(std::size_t time_index, std::span<const float> fields, std::size_t channels,
                                std::size_t points) {
  const std::vector<Task> tasks = tasks_of_lead(time_index, channels, points);
  parallel_for(tasks.size(), options_.threads, [&](std::size_t i) {
    const Task& task = tasks[i];
    std::span<const float> field = fields.subspan(task.first_value, points);
    std::vector<float> rounded;
    if (options_.quantize_digits) {
      const int bits = mantissa_bits(*options_.quantize_digits);
      rounded.assign(field.begin(), field.end());
      std::transform(rounded.begin(), rounded.end(), rounded.begin(),
                     [bits](float value) { return round_mantissa(value, bits); });
      field = rounded;
    }
    task.file->write(task.variable, task.offset, encode_chunk(field, task.file->filters(task.variable)));
  });
}

std::uint64_t ForecastOutput::commit() {
  for (auto& file : files_) {
    file.chunks->close();
  }
  std::uint64_t bytes = 0;
  for (const auto& file : files_) {
    bytes += fs::file_size(file.temporary);
    write_file_atomically(file.path, [&](const std::string& temporary) {
      std::error_code problem;
      fs::rename(file.temporary, temporary, problem);
      require(!problem, ExitCode::io_error, "{}: cannot rename the finished file: {}", file.path,
              problem.message());
    });
  }
  files_.clear();
  return bytes;
}

}  // namespace mosaic

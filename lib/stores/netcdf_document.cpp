#include "stores/netcdf_document.hpp"

#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "base/files.hpp"
#include "stores/netcdf_define.hpp"
#include "stores/netcdf_image.hpp"
#include "stores/netcdf_lock.hpp"

namespace mosaic {

namespace {

/// Group attributes carry NC_GLOBAL, attributes of a variable its id. C API: NetCDF-C++4 returns attributes
/// sorted by name, a document keeps the order of the file.
std::vector<std::string> attribute_names(int group, int variable) {
  int count = 0;
  netCDF::ncCheck(nc_inq_varnatts(group, variable, &count), __FILE__, __LINE__);
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    char name[NC_MAX_NAME + 1] = {};
    netCDF::ncCheck(nc_inq_attname(group, variable, i, name), __FILE__, __LINE__);
    names.emplace_back(name);
  }
  return names;
}

/// NC_STRING attributes with several values become lines of one text.
std::string read_text_attribute(const netCDF::NcAtt& attribute) {
  if (attribute.getType() == netCDF::ncChar) {
    std::string text;
    attribute.getValues(text);
    return text;
  }
  std::vector<char*> parts(attribute.getAttLength());
  attribute.getValues(parts.data());
  std::string text;
  for (const char* part : parts) {
    text += text.empty() ? "" : "\n";
    text += part != nullptr ? part : "";
  }
  nc_free_string(parts.size(), parts.data());
  return text;
}

template <class Value>
NetcdfAttribute read_numbers(const netCDF::NcAtt& attribute) {
  std::vector<Value> values(attribute.getAttLength());
  attribute.getValues(values.data());
  if (values.size() == 1) {
    return values.front();
  }
  return values;
}

NetcdfAttribute read_attribute(const netCDF::NcAtt& attribute) {
  const netCDF::NcType type = attribute.getType();
  if (type == netCDF::ncChar || type == netCDF::ncString) {
    return read_text_attribute(attribute);
  }
  if (type == netCDF::ncFloat || type == netCDF::ncDouble) {
    return read_numbers<double>(attribute);
  }
  return read_numbers<std::int64_t>(attribute);
}

template <class Value>
std::vector<Value> read_numbers(const netCDF::NcVar& variable, std::size_t count) {
  std::vector<Value> values(count);
  variable.getVar(values.data());
  return values;
}

std::vector<std::string> read_strings(const netCDF::NcVar& variable, std::size_t count) {
  std::vector<char*> texts(count);
  variable.getVar(texts.data());
  std::vector<std::string> values;
  for (const char* text : texts) {
    values.emplace_back(text != nullptr ? text : "");
  }
  nc_free_string(texts.size(), texts.data());
  return values;
}

/// Small integers become int32, unsigned int and larger int64.
NetcdfValues read_values(const std::string& path, const netCDF::NcVar& variable, std::size_t count) {
  switch (variable.getType().getId()) {
    case NC_DOUBLE:
      return read_numbers<double>(variable, count);
    case NC_FLOAT:
      return read_numbers<float>(variable, count);
    case NC_BYTE:
    case NC_UBYTE:
    case NC_SHORT:
    case NC_USHORT:
    case NC_INT:
      return read_numbers<std::int32_t>(variable, count);
    case NC_UINT:
    case NC_INT64:
    case NC_UINT64:
      return read_numbers<std::int64_t>(variable, count);
    case NC_STRING:
      return read_strings(variable, count);
    default:
      fail(ExitCode::corrupt_input, "{}: variable {} has the type {}, which is not read here", path,
           variable.getName(), variable.getType().getName());
  }
}

NetcdfVariable read_variable(const std::string& path, const netCDF::NcVar& source) {
  NetcdfVariable variable;
  variable.name = source.getName();
  std::size_t count = 1;
  for (const auto& dimension : source.getDims()) {
    variable.dimensions.push_back(dimension.getName());
    count *= dimension.getSize();
  }
  try {
    variable.values = read_values(path, source, count);
  } catch (const netCDF::exceptions::NcException& problem) {
    fail(ExitCode::corrupt_input, "{}: variable {} cannot be read (damaged?): {}", path, variable.name,
         nc_strerror(problem.errorCode()));
  }
  for (const auto& name : attribute_names(source.getParentGroup().getId(), source.getId())) {
    variable.attributes.emplace_back(name, read_attribute(source.getAtt(name)));
  }
  return variable;
}

/// NetCDF-C++4 returns maps sorted by name; ids are in the order of definition.
template <class Item>
std::vector<Item> by_id(const std::multimap<std::string, Item>& items) {
  std::vector<Item> sorted;
  for (const auto& [name, item] : items) {
    sorted.push_back(item);
  }
  std::sort(sorted.begin(), sorted.end(), [](const Item& a, const Item& b) { return a.getId() < b.getId(); });
  return sorted;
}

NetcdfDocument read_open_file(const std::string& path, const netCDF::NcGroup& file) {
  NetcdfDocument document;
  for (const auto& dimension : by_id(file.getDims())) {
    document.dimensions.emplace_back(dimension.getName(), dimension.getSize());
  }
  for (const auto& variable : by_id(file.getVars())) {
    document.variables.push_back(read_variable(path, variable));
  }
  for (const auto& name : attribute_names(file.getId(), NC_GLOBAL)) {
    document.attributes.emplace_back(name, read_attribute(file.getAtt(name)));
  }
  return document;
}

}  // namespace

const NetcdfVariable& NetcdfDocument::variable(const std::string& name) const {
  const auto found = std::find_if(variables.begin(), variables.end(),
                                  [&](const NetcdfVariable& variable) { return variable.name == name; });
  require(found != variables.end(), ExitCode::corrupt_input, "variable {} is absent", name);
  return *found;
}

std::size_t NetcdfDocument::dimension(const std::string& name) const {
  const auto found = std::find_if(dimensions.begin(), dimensions.end(),
                                  [&](const auto& dimension) { return dimension.first == name; });
  require(found != dimensions.end(), ExitCode::corrupt_input, "dimension {} is absent", name);
  return found->second;
}

namespace {

std::string netcdf_bytes(const std::string& name, const NetcdfDocument& document) {
  return netcdf_image(name, [&](netCDF::NcGroup& file) {
    const auto dimensions = netcdf::define_dimensions(file, document);
    std::vector<netCDF::NcVar> targets;
    for (const auto& variable : document.variables) {
      targets.push_back(netcdf::define_variable(file, dimensions, variable, {}));
    }
    netcdf::put_attributes(file, document.attributes);
    for (std::size_t i = 0; i < targets.size(); ++i) {
      netcdf::put_values(targets[i], document.variables[i]);
    }
  });
}

}  // namespace

void write_netcdf(const std::string& path, const NetcdfDocument& document) {
  write_text_atomically(path, netcdf_bytes(path, document));
}

NetcdfDocument read_netcdf(const std::string& path) {
  const std::string bytes = read_text(path);
  NetcdfDocument document;
  read_netcdf_image(path, bytes, [&](const netCDF::NcGroup& file) { document = read_open_file(path, file); });
  return document;
}

}  // namespace mosaic

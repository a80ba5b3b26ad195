#include "stores/netcdf_define.hpp"

#include <type_traits>
#include <variant>

#include "base/error.hpp"

namespace mosaic::netcdf {

namespace {

netCDF::NcType type_of(const NetcdfValues& values) {
  struct Visitor {
    netCDF::NcType operator()(const std::vector<double>&) const { return netCDF::ncDouble; }
    netCDF::NcType operator()(const std::vector<float>&) const { return netCDF::ncFloat; }
    netCDF::NcType operator()(const std::vector<std::int32_t>&) const { return netCDF::ncInt; }
    netCDF::NcType operator()(const std::vector<std::int64_t>&) const { return netCDF::ncInt64; }
    netCDF::NcType operator()(const std::vector<std::string>&) const { return netCDF::ncString; }
  };
  return std::visit(Visitor{}, values);
}

/// Target: NcGroup or NcVar. `fill_type`: the type of the variable, which its _FillValue must have.
template <class Target>
void put_attribute(Target& target, const std::string& name, const NetcdfAttribute& attribute,
                   const netCDF::NcType* fill_type) {
  const bool is_fill = name == "_FillValue" && fill_type != nullptr;
  const netCDF::NcType real = is_fill ? *fill_type : netCDF::NcType(netCDF::ncDouble);
  const netCDF::NcType integer = is_fill ? *fill_type : netCDF::NcType(netCDF::ncInt64);
  struct Visitor {
    Target& target;
    const std::string& name;
    const netCDF::NcType& real;
    const netCDF::NcType& integer;
    void operator()(const std::string& text) const { target.putAtt(name, text); }
    void operator()(double value) const { target.putAtt(name, real, value); }
    void operator()(std::int64_t value) const { target.putAtt(name, integer, value); }
    void operator()(const std::vector<double>& values) const {
      target.putAtt(name, real, values.size(), values.data());
    }
    void operator()(const std::vector<std::int64_t>& values) const {
      target.putAtt(name, integer, values.size(), values.data());
    }
  };
  std::visit(Visitor{target, name, real, integer}, attribute);
}

}  // namespace

Dimensions define_dimensions(netCDF::NcGroup& file, const NetcdfDocument& document) {
  Dimensions dimensions;
  for (const auto& [name, length] : document.dimensions) {
    require(length > 0, "dimension {} has length 0", name);
    dimensions[name] = file.addDim(name, length);
  }
  return dimensions;
}

netCDF::NcVar define_variable(netCDF::NcGroup& file, const Dimensions& dimensions,
                              const NetcdfVariable& variable, const Storage& storage) {
  std::vector<netCDF::NcDim> shape;
  for (const auto& name : variable.dimensions) {
    const auto found = dimensions.find(name);
    require(found != dimensions.end(), "variable {} has an unknown dimension {}", variable.name, name);
    shape.push_back(found->second);
  }
  const netCDF::NcType type = type_of(variable.values);
  netCDF::NcVar target = file.addVar(variable.name, type, shape);
  if (!shape.empty() && !std::holds_alternative<std::vector<std::string>>(variable.values)) {
    if (!storage.chunk.empty()) {
      std::vector<std::size_t> chunk = storage.chunk;
      target.setChunking(netCDF::NcVar::nc_CHUNKED, chunk);
    }
    target.setCompression(storage.deflate > 0, storage.deflate > 0, storage.deflate);
    target.setChecksum(netCDF::NcVar::nc_FLETCHER32);
  }
  for (const auto& [name, attribute] : variable.attributes) {
    put_attribute(target, name, attribute, &type);
  }
  return target;
}

void put_attributes(netCDF::NcGroup& file, const NetcdfAttributes& attributes) {
  for (const auto& [name, attribute] : attributes) {
    put_attribute(file, name, attribute, nullptr);
  }
}

void put_values(const netCDF::NcVar& target, const NetcdfVariable& variable) {
  std::size_t expected = 1;
  for (const auto& dimension : target.getDims()) {
    expected *= dimension.getSize();
  }
  std::visit(
      [&](const auto& values) {
        require(values.size() == expected, "variable {} has {} values, its dimensions hold {}", variable.name,
                values.size(), expected);
        if constexpr (std::is_same_v<std::decay_t<decltype(values)>, std::vector<std::string>>) {
          std::vector<const char*> texts;
          for (const auto& text : values) {
            texts.push_back(text.c_str());
          }
          target.putVar(texts.data());
        } else {
          target.putVar(values.data());
        }
      },
      variable.values);
}

}  // namespace mosaic::netcdf

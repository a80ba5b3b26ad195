#include "stores/netcdf_image.hpp"

#include <hdf5.h>
#include <netcdf_mem.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "stores/netcdf_lock.hpp"

namespace mosaic {

namespace {

constexpr std::size_t memory_block = 1 << 16;

/// An HDF5 id with the function that closes it.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {
    require(id >= 0, "HDF5 cannot make a file in memory");
  }
  ~Handle() { close_(id_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }  // NOLINT: to be used as the id

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

std::vector<char> image_of(hid_t file) {
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  std::vector<char> image(
      static_cast<std::size_t>(std::max<ssize_t>(H5Fget_file_image(file, nullptr, 0), 0)));
  require(!image.empty() && H5Fget_file_image(file, image.data(), image.size()) > 0,
          "HDF5 does not hand out a file in memory");
  return image;
}

/// An HDF5 file without content that keeps the order of what it gets, as NetCDF-4 files do.
std::vector<char> empty_file() {
  const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  const unsigned order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
  H5Pset_link_creation_order(creation, order);
  H5Pset_attr_creation_order(creation, order);
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_core(access, memory_block, false);
  return image_of(Handle(H5Fcreate("empty", H5F_ACC_TRUNC, creation, access), H5Fclose));
}

/// The memory driver hands out whole blocks; the file ends inside the last one.
std::string without_rest_of_block(void* image, std::size_t size) {
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_core(access, memory_block, false);
  H5Pset_file_image(access, image, size);
  const std::vector<char> file = image_of(Handle(H5Fopen("image", H5F_ACC_RDONLY, access), H5Fclose));
  return {file.begin(), file.end()};
}

/// A NetCDF file in memory.
class OpenImage {
 public:
  OpenImage(const std::string& name, int mode, NC_memio memory) {
    netCDF::ncCheck(nc_open_memio(name.c_str(), mode, &memory, &id_), __FILE__, __LINE__);
  }
  ~OpenImage() {
    if (id_ != 0) {
      nc_close(id_);
    }
  }
  OpenImage(const OpenImage&) = delete;
  OpenImage& operator=(const OpenImage&) = delete;
  netCDF::NcGroup group() const { return netCDF::NcGroup(id_); }
  std::string close() {
    NC_memio memory{};
    netCDF::ncCheck(nc_close_memio(std::exchange(id_, 0), &memory), __FILE__, __LINE__);
    const std::unique_ptr<void, decltype(&std::free)> image(memory.memory, std::free);
    return without_rest_of_block(image.get(), memory.size);
  }

 private:
  int id_ = 0;
};

}  // namespace

std::string netcdf_image(const std::string& name, const std::function<void(netCDF::NcGroup& file)>& fill) {
  const NetcdfLock lock;
  return netcdf_call(ExitCode::internal, name, [&] {
    const std::vector<char> empty = empty_file();
    NC_memio memory{empty.size(), std::malloc(empty.size()), 0};  // the library's from now on
    require(memory.memory != nullptr, "{}: out of memory", name);
    std::memcpy(memory.memory, empty.data(), empty.size());
    OpenImage image(name, NC_WRITE, memory);
    netCDF::NcGroup group = image.group();
    fill(group);
    return image.close();
  });
}

void read_netcdf_image(const std::string& name, const std::string& bytes,
                       const std::function<void(const netCDF::NcGroup& file)>& read) {
  const NetcdfLock lock;
  netcdf_call(ExitCode::corrupt_input, name, [&] {
    // Locked: the library neither writes to the bytes nor frees them.
    const OpenImage image(name, NC_NOWRITE, {bytes.size(), const_cast<char*>(bytes.data()), NC_MEMIO_LOCKED});
    read(image.group());
  });
}

}  // namespace mosaic

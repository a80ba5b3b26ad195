#include "stores/field_store.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "stores/frozen_fields.hpp"
#include "stores/netcdf_fields.hpp"
#include "stores/zarr_fields.hpp"

namespace mosaic {

StoreContents FieldStore::contents() const {
  fail(ExitCode::internal, "{}: this kind of store cannot list what it holds", path());
}

std::unique_ptr<FieldStore> open_field_store(const std::string& path, const FieldStoreOptions& options) {
  std::unique_ptr<FieldStore> store;
  if (std::filesystem::is_directory(path) || path.ends_with(".zarr")) {
    store = std::make_unique<ZarrFields>(path, options);
  } else {
    store = open_netcdf_fields(path, options);
  }
  if (options.frozen_state) {
    store = std::make_unique<FrozenFields>(std::move(store));
  }
  return store;
}

}  // namespace mosaic

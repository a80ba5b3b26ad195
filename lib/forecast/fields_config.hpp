#pragma once

#include <optional>
#include <string>

#include "base/config.hpp"
#include "stores/field_store.hpp"

namespace mosaic {

/// Where fields are read from, and how.
struct FieldsConfig {
  std::string path;
  std::optional<int> member;
  bool allow_missing_chunks = false;
  bool verify_checksums = false;
  bool frozen_state = false;
};

/// Declares the keys `section`.path, ...; `what` explains the path.
void add_fields_keys(ConfigSchema& schema, const std::string& section, FieldsConfig& fields,
                     const std::string& what);

FieldStoreOptions store_options(const FieldsConfig& fields, int threads);

}  // namespace mosaic

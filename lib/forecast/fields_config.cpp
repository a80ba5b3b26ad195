#include "forecast/fields_config.hpp"

namespace mosaic {

void add_fields_keys(ConfigSchema& schema, const std::string& section, FieldsConfig& fields,
                     const std::string& what) {
  schema.key(section + ".path", &fields.path, what);
  schema.key(section + ".member", &fields.member, "Member to take where the store holds an ensemble");
  schema.key(section + ".allow_missing_chunks", &fields.allow_missing_chunks,
             "Take the fill value for an absent chunk instead of stopping");
  schema.key(section + ".verify_checksums", &fields.verify_checksums,
             "Compare all that is read with the manifest of `mosaic_data verify PATH --write-checksums`");
  schema.key(section + ".frozen_state", &fields.frozen_state,
             "The store's only state stands for every time (demonstrations)");
}

FieldStoreOptions store_options(const FieldsConfig& fields, int threads) {
  FieldStoreOptions options;
  options.threads = threads;
  options.allow_missing_chunks = fields.allow_missing_chunks;
  options.verify_checksums = fields.verify_checksums;
  options.frozen_state = fields.frozen_state;
  if (fields.member) {
    options.member = *fields.member;
  }
  return options;
}

}  // namespace mosaic

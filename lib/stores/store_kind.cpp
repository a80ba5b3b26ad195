#include "stores/store_kind.hpp"

#include "base/error.hpp"
#include "stores/climatology_store.hpp"
#include "stores/forecast_source.hpp"
#include "stores/forecast_store.hpp"

namespace mosaic {

StoreKind kind_of_store(const std::string& path) {
  const std::string file = forecast_files(path).front();
  if (file.ends_with(".npz")) {
    return StoreKind::forecasts;
  }
  try {
    GriddedArrays arrays(open_labelled_arrays(file, {}));
    if (ClimatologyStore::is_climatology(arrays)) {
      return StoreKind::climatology;
    }
    return ForecastSource::is_forecast(arrays) ? StoreKind::forecasts : StoreKind::fields;
  } catch (const Error&) {  // the reader of fields says what is wrong
    return StoreKind::fields;
  }
}

}  // namespace mosaic

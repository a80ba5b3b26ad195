#pragma once

#include "model/mosaic_model.hpp"

namespace mosaic {

/// make_mosaic_model() on a GPU. Errors: also bad_configuration where this program has no device code, no GPU
/// is visible, or memory does not suffice.
std::unique_ptr<ForecastModel> make_device_model(const MosaicModelOptions& options);

}  // namespace mosaic

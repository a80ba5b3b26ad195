#include "base/error.hpp"
#include "kernels/device/device.hpp"
#include "model/network/device_model.hpp"

namespace mosaic {

std::unique_ptr<ForecastModel> make_device_model(const MosaicModelOptions& options) {
  kernels::use_device(options.device.rank_on_node);
  fail(ExitCode::internal, "a GPU in a program without device code");
}

}  // namespace mosaic

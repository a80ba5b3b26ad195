#include "base/error.hpp"
#include "model/mosaic_model.hpp"

namespace mosaic {

namespace {

[[noreturn]] void refuse() {
  fail(ExitCode::bad_configuration,
       "the Mosaic network is not in this build: configure with libtorch (TORCH_ROOT), or set "
       "model.name=persistence or model.name=qg3");
}

}  // namespace

std::unique_ptr<ForecastModel> make_mosaic_model(const MosaicModelOptions&) { refuse(); }
void set_model_threads(int) { refuse(); }

}  // namespace mosaic

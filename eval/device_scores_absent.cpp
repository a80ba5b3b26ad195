// device_scores.hpp in programs built without CUDA.

#include "base/error.hpp"
#include "eval/device_scores.hpp"

namespace mosaic::eval {

struct DeviceScores::Impl {};

int most_members_on_device() { return 0; }

DeviceScores::DeviceScores(const DeviceScoresArgs&) {
  fail(ExitCode::bad_configuration, "scores on a GPU: this program was built without CUDA");
}
DeviceScores::~DeviceScores() = default;

void DeviceScores::send(const FieldOf&, const FieldOf&) {}
void DeviceScores::queue(std::size_t, const EnsembleFields&) {}
void DeviceScores::collect(InitTimeSums&) {}

}  // namespace mosaic::eval

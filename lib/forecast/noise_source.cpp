#include "forecast/noise_source.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/noise.hpp"
#include "stores/tensor_file.hpp"

namespace mosaic {

NoiseSource NoiseSource::from_seed(std::uint64_t seed) {
  NoiseSource source;
  source.seed_ = seed;
  return source;
}

NoiseSource NoiseSource::from_file(const std::string& path, int members, int steps, int width) {
  const auto file = open_tensor_file(path);
  const TensorView& noise = file->at("noise");
  require(noise.shape.size() == 3 && noise.shape[0] >= members && noise.shape[1] >= steps &&
              noise.shape[2] == width,
          ExitCode::corrupt_input,
          "{}: tensor noise is [{}], needed are [members >= {}, steps >= {}, width {}]", path,
          fmt::join(noise.shape, ", "), members, steps, width);
  NoiseSource source;
  source.stored_ = noise.to_float();
  source.stored_members_ = static_cast<int>(noise.shape[0]);
  source.stored_steps_ = static_cast<int>(noise.shape[1]);
  source.stored_width_ = width;
  return source;
}

void NoiseSource::fill(Time initial_time, int member, int step, std::span<float> draws) const {
  if (stored_.empty()) {
    fill_normal_noise(seed_, initial_time, member, step, draws);
    return;
  }
  require(step < stored_steps_ && static_cast<int>(draws.size()) == stored_width_,
          "noise file: step {} of {}, width {} of {}", step, stored_steps_, draws.size(), stored_width_);
  const int row = member < stored_members_ ? member : 0;
  const auto first =
      stored_.begin() + (static_cast<std::ptrdiff_t>(row) * stored_steps_ + step) * stored_width_;
  std::copy_n(first, stored_width_, draws.begin());
}

}  // namespace mosaic

#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "device/device_arrays.hpp"
#include "kernels/zonal_spectrum/zonal_spectrum_device.hpp"

namespace mosaic::kernels {

/// An ensemble of normal numbers about `offset` and its truth on a grid.
struct WavesCase {
  std::size_t latitudes, longitudes;
  std::vector<std::vector<float>> members;
  std::vector<float> truth;

  WavesCase(std::size_t count, std::size_t latitudes, std::size_t longitudes, std::uint64_t seed,
            float offset = 0)
      : latitudes(latitudes), longitudes(longitudes) {
    const auto field = [&](std::uint64_t number) {
      auto values = normal_numbers(latitudes * longitudes, 100 * seed + number, 3);
      std::for_each(values.begin(), values.end(), [&](float& x) { x += offset; });
      return values;
    };
    truth = field(0);
    for (std::size_t m = 0; m < count; ++m) {
      members.push_back(field(m + 1));
    }
  }

  /// Members, their mean, the truth.
  std::vector<std::vector<float>> fields() const {
    std::vector<std::vector<float>> list = members;
    std::vector<float> mean;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      double sum = 0;
      for (const auto& member : members) {
        sum += static_cast<double>(member[i]);
      }
      mean.push_back(static_cast<float>(sum / static_cast<double>(members.size())));
    }
    list.push_back(mean);
    list.push_back(truth);
    return list;
  }

  /// The largest finite magnitude.
  double size() const {
    double largest = 0;
    for (const auto& field : fields()) {
      for (const float x : field) {
        largest = std::isfinite(x) ? std::max(largest, std::abs(double(x))) : largest;
      }
    }
    return largest;
  }

  /// [F, J, wave_columns] on the device.
  DeviceMemory waves() const {
    std::vector<float> forecast;
    const std::size_t gap = 3;
    for (const auto& member : members) {
      forecast.insert(forecast.end(), member.begin(), member.end());
      forecast.insert(forecast.end(), gap, NAN);
    }
    const DeviceArray device_forecast = upload(forecast), device_truth = upload(truth);
    const DeviceMemory table = upload_doubles(wave_table(static_cast<std::int64_t>(longitudes)));
    DeviceWavesArgs args{.members = static_cast<std::int64_t>(members.size()),
                         .latitudes = static_cast<std::int64_t>(latitudes),
                         .longitudes = static_cast<std::int64_t>(longitudes),
                         .forecast = device_forecast.as<float>(),
                         .member_stride = static_cast<std::int64_t>(truth.size() + gap),
                         .truth = device_truth.as<float>(),
                         .table = table.as<double>()};
    const DeviceMemory rows = poisoned_doubles(args.row_numbers()),
                       waves = poisoned_doubles(args.wave_numbers());
    args.rows = rows.as<double>();
    args.waves = waves.as<double>();
    MatrixProducts products;
    const Stream stream;
    zonal_waves(args, products, stream);
    stream.wait();
    return waves;
  }
};

/// The same bits, or NaN in both.
inline bool same_bits(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

}  // namespace mosaic::kernels

#include "kernels/zonal_spectrum/zonal_spectrum.hpp"

#include "base/error.hpp"

namespace mosaic::kernels {

void zonal_spectrum(const ZonalSpectrumArgs& args, ZonalSpectrumBackend backend) {
  require(args.longitudes > 0 && args.field.size() % args.longitudes == 0,
          "a field of {} values has no whole rows of {} longitudes", args.field.size(), args.longitudes);
  const std::size_t expected = args.field.size() / args.longitudes * zonal_wavenumbers(args.longitudes);
  require(args.power.size() == expected, "room for {} spectral values, {} are needed", args.power.size(),
          expected);
  switch (backend) {
    case ZonalSpectrumBackend::reference:
      return zonal_spectrum_reference(args);
    case ZonalSpectrumBackend::cpu:
      return zonal_spectrum_cpu(args);
  }
}

}  // namespace mosaic::kernels

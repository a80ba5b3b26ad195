#include "kernels/spectral_transform/spectral_transform.hpp"

#include "base/error.hpp"

namespace mosaic::kernels {
namespace {

void check(const SpectralShape& shape, std::size_t table, std::size_t spectrum, std::size_t grid,
           const LatitudePairs& pairs, std::size_t columns) {
  require(shape.latitudes > 0 && 2 * shape.truncation < shape.longitudes,
          "spectral transform of truncation {} on {} latitudes and {} longitudes", shape.truncation,
          shape.latitudes, shape.longitudes);
  require(table == shape.rows() * shape.half(), "a table of {} values, {} are needed", table,
          shape.rows() * shape.half());
  require(spectrum == shape.rows() * 2 * columns, "a spectrum of {} values, {} are needed", spectrum,
          shape.rows() * 2 * columns);
  require(pairs.first + pairs.count <= shape.half(), "pairs {} ... {} of {} latitudes", pairs.first,
          pairs.first + pairs.count, shape.latitudes);
  require(grid == pairs.count * 2 * shape.longitudes * columns, "a grid of {} values, {} are needed", grid,
          pairs.count * 2 * shape.longitudes * columns);
}

}  // namespace

void spectral_synthesis(const SynthesisArgs& args, SpectralWorkspace& workspace, Backend backend) {
  check(args.shape, args.table.size(), args.spectrum.size(), args.grid.size(), args.pairs, args.columns);
  require_backend("spectral_transform", backend, {Backend::reference, Backend::cpu});
  backend == Backend::cpu ? spectral_synthesis_cpu(args, workspace) : spectral_synthesis_reference(args);
}

void spectral_analysis(const AnalysisArgs& args, SpectralWorkspace& workspace, Backend backend) {
  check(args.shape, args.table.size(), args.spectrum.size(), args.grid.size(), args.pairs, args.columns);
  require(args.shape.latitudes % 2 == 0, "spectral analysis of {} latitudes, an even number is needed",
          args.shape.latitudes);
  require_backend("spectral_transform", backend, {Backend::reference, Backend::cpu});
  backend == Backend::cpu ? spectral_analysis_cpu(args, workspace) : spectral_analysis_reference(args);
}

}  // namespace mosaic::kernels

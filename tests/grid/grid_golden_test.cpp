#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <regex>

#include "grid/mesh_tables.hpp"
#include "grid/published_files.hpp"
#include "stores/tensor_file.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

constexpr double pi = 3.14159265358979323846;
constexpr double eps = std::numeric_limits<float>::epsilon();

void expect_near(const std::vector<double>& actual, const std::vector<double>& expected, double limit,
                 const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  double worst = 0.0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double error = std::abs(actual[i] - expected[i]);
    ASSERT_LE(error, limit) << what << ", element " << i;
    worst = std::max(worst, error);
  }
  std::printf("%s: worst error %.2g, limit %.2g\n", what.c_str(), worst, limit);
}

int nside_of(std::int64_t pixels) { return static_cast<int>(std::lround(std::sqrt(pixels / 12.0))); }

void check_geometry(const HealpixMesh& mesh, const TensorFile& file, const std::string& key) {
  const SpherePoints points = sphere_points(mesh);
  std::vector<std::int64_t> ring, back;
  std::vector<double> theta, phi, xyz, degrees, xyz_float;
  for (const std::int64_t pixel : file.at(key + "pixel").to_int64()) {
    const auto p = static_cast<std::size_t>(pixel);
    const LonLat centre = mesh.centre(pixel);
    const auto vector = mesh.centre_vector(pixel);
    ring.push_back(mesh.ring_from_nested(pixel));
    back.push_back(mesh.nested_from_ring(ring.back()));
    theta.push_back((90.0 - centre.latitude) * pi / 180.0);
    phi.push_back(centre.longitude * pi / 180.0);
    xyz.insert(xyz.end(), vector.begin(), vector.end());
    degrees.insert(degrees.end(), {points.longitude_degrees[p], points.latitude_degrees[p]});
    xyz_float.insert(xyz_float.end(), &points.xyz[3 * p], &points.xyz[3 * p] + 3);
  }
  EXPECT_EQ(ring, file.at(key + "ring").to_int64());
  EXPECT_EQ(back, file.at(key + "pixel").to_int64());
  // Doubles: a few roundings of numbers up to 2 pi. Float32 degrees are equal; float32 vectors are two
  // factors within 1 ulp of another library's, and their product.
  expect_near(theta, file.at(key + "theta").to_double(), 5e-15, key + "theta");
  expect_near(phi, file.at(key + "phi").to_double(), 5e-15, key + "phi");
  expect_near(xyz, file.at(key + "xyz").to_double(), 2e-15, key + "xyz");
  expect_near(degrees, file.at(key + "lonlat_deg_f32").to_double(), 0.0, key + "lonlat_deg_f32");
  expect_near(xyz_float, file.at(key + "xyz_f32").to_double(), 2 * eps, key + "xyz_f32");
}

TEST(HealpixGolden, CentresNumbersAndPointToPixel) {
  GOLDEN_OR_SKIP(path, "model/healpix/healpix.safetensors");
  const auto file = open_tensor_file(path.string());
  int meshes = 0;
  for (const auto& [name, tensor] : file->tensors()) {
    std::smatch match;
    if (!std::regex_match(name, match, std::regex("(nside([0-9]+)\\.)query_pixel"))) {
      continue;
    }
    ++meshes;
    const HealpixMesh mesh(std::stoi(match[2]));
    check_geometry(mesh, *file, match[1]);
    const std::vector<double> query = file->at(match[1].str() + "query_xyz").to_double();
    std::vector<std::int64_t> found;
    for (std::size_t i = 0; i < query.size(); i += 3) {
      found.push_back(mesh.pixel_at(std::array<double, 3>{query[i], query[i + 1], query[i + 2]}));
    }
    EXPECT_EQ(found, tensor.to_int64()) << name;
  }
  if (meshes == 0) {
    GTEST_SKIP() << "no key nsideN.query_pixel in " << path;
  }
}

/// Both rows hold equally far sources: then they differ by ties only.
bool equal_but_for_ties(const SpherePoints& sources, const SpherePoints& targets, std::size_t target,
                        std::span<const std::int32_t> ours, std::span<const std::int64_t> theirs) {
  std::vector<double> a, b;
  for (std::size_t j = 0; j < ours.size(); ++j) {
    a.push_back(haversine_distance(targets, target, sources, static_cast<std::size_t>(ours[j])));
    b.push_back(haversine_distance(targets, target, sources, static_cast<std::size_t>(theirs[j])));
  }
  std::sort(b.begin(), b.end());
  return std::equal(a.begin(), a.end(), b.begin(),
                    [](double x, double y) { return std::abs(x - y) <= 1e-12; });
}

void check_table(const SpherePoints& sources, const SpherePoints& targets, const TensorView& published) {
  const auto k = static_cast<std::size_t>(published.shape.at(1));
  const std::vector<std::int64_t> theirs = published.to_int64();
  const NeighbourTable table = nearest_neighbours(sources, targets, static_cast<int>(k), 1);
  ASSERT_EQ(table.index.size(), theirs.size());
  for (std::size_t target = 0; target < table.targets; ++target) {
    ASSERT_TRUE(equal_but_for_ties(sources, targets, target, table.row(target),
                                   std::span(theirs).subspan(target * k, k)))
        << "target " << target;
  }
}

/// Relative positions of the published table against the stored ones.
void check_relative_positions(const SpherePoints& sources, const SpherePoints& targets,
                              const TensorView& published, const std::vector<double>& expected) {
  NeighbourTable table{static_cast<int>(published.shape.at(1)), targets.size(), {}};
  for (const std::int64_t source : published.to_int64()) {
    table.index.push_back(static_cast<std::int32_t>(source));
  }
  const std::vector<float> rel = relative_positions(sources, targets, table);
  ASSERT_EQ(rel.size(), expected.size());
  for (std::size_t i = 0; i < rel.size(); ++i) {
    const std::size_t pair = i / 3;
    const double distance = haversine_distance(targets, pair / static_cast<std::size_t>(table.k), sources,
                                               static_cast<std::size_t>(table.index[pair]));
    // Each of the two unit vectors may be off by eps in every component: |error of v| <= 2 sqrt(3) eps.
    ASSERT_LE(std::abs(rel[i] - expected[i]), 4 * eps + 2 * std::sqrt(3.0) * eps / distance)
        << "element " << i;
  }
}

TEST(TinyGolden, NeighbourTablesAndRelativePositions) {
  GOLDEN_OR_SKIP(path, "model/tiny/buffers.safetensors");
  const auto config = nlohmann::json::parse(std::ifstream(path.parent_path() / "config.json"));
  const auto file = open_tensor_file(path.string());
  if (!file->has("model.interp_to_hp.neighbors")) {
    GTEST_SKIP() << "no key model.interp_to_hp.neighbors in " << path;
  }
  const TensorView& to_hp = file->at("model.interp_to_hp.neighbors");
  const TensorView& to_ll = file->at("model.interp_to_ll.neighbors");
  const SpherePoints grid = sphere_points(LatLonGrid::with_poles(config.at("nlon"), config.at("nlat")));
  const SpherePoints mesh = sphere_points(HealpixMesh(nside_of(to_hp.shape.at(0))));
  check_table(grid, mesh, to_hp);
  check_table(mesh, grid, to_ll);
  check_relative_positions(grid, mesh, to_hp, file->at("model.interp_to_hp.rel_pos").to_double());
  check_relative_positions(mesh, grid, to_ll, file->at("model.interp_to_ll.rel_pos").to_double());
}

TEST(TinyGolden, WrongNeighboursAreNotTies) {  // must-fail twin
  const SpherePoints grid = sphere_points(LatLonGrid::with_poles(24, 13));
  const SpherePoints mesh = sphere_points(HealpixMesh(8));
  const NeighbourTable table = nearest_neighbours(grid, mesh, 24, 1);
  std::vector<std::int64_t> wrong(table.row(0).begin(), table.row(0).end());
  wrong.back() = table.row(table.targets - 1)[0];
  EXPECT_FALSE(equal_but_for_ties(grid, mesh, 0, table.row(0), wrong));
}

TEST(TinyGolden, RopeTables) {
  GOLDEN_OR_SKIP(path, "model/tiny/buffers.safetensors");
  const auto file = open_tensor_file(path.string());
  int tables = 0;
  for (const auto& [name, cosine] : file->tensors()) {
    const std::size_t place = name.find("cos_freqs");
    if (place == std::string::npos) {
      continue;
    }
    ++tables;
    const SpherePoints points = sphere_points(HealpixMesh(nside_of(cosine.shape.at(0))));
    const RopeTables rope = rope_tables(points, static_cast<int>(2 * cosine.shape.at(1)));
    // The frequency may be off by half an ulp, the angle (up to 2 pi) and its cosine by another each.
    const double limit = (2 * pi + 1) * eps;
    expect_near({rope.cosine.begin(), rope.cosine.end()}, cosine.to_double(), limit, name);
    const std::string sine = std::string(name).replace(place, 3, "sin");
    expect_near({rope.sine.begin(), rope.sine.end()}, file->at(sine).to_double(), limit, sine);
  }
  if (tables == 0) {
    GTEST_SKIP() << "no key cos_freqs in " << path;
  }
}

TEST(TinyGolden, ChildOffsets) {
  GOLDEN_OR_SKIP(path, "model/tiny/buffers.safetensors");
  const auto file = open_tensor_file(path.string());
  int tables = 0;
  for (const auto& [name, tensor] : file->tensors()) {
    if (!std::regex_match(name, std::regex("model\\.(down|up)sample_layers\\.[0-9]+\\.rel_pos"))) {
      continue;
    }
    ++tables;
    const int nside = nside_of(tensor.shape.at(0));
    const std::vector<float> offsets = standardised_child_offsets(HealpixMesh(nside));
    // A difference of two components that are off by up to eps each, over a column's standard deviation of at
    // least 0.25 / nside.
    expect_near({offsets.begin(), offsets.end()}, tensor.to_double(), 2 * eps / (0.25 / nside), name);
  }
  if (tables == 0) {
    GTEST_SKIP() << "no key down/upsample_layers.S.rel_pos in " << path;
  }
}

/// sum, sum of squares and sum of ((i mod 65521) + 1) v_i.
std::vector<std::int64_t> checksums(const std::vector<std::int64_t>& values) {
  std::vector<std::int64_t> sums(3, 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    sums[0] += values[i];
    sums[1] += values[i] * values[i];
    sums[2] += static_cast<std::int64_t>(i % 65521 + 1) * values[i];
  }
  return sums;
}

TEST(FullGolden, ShippedNeighbourTablesHaveThePublishedChecksums) {
  GOLDEN_OR_SKIP(path, "model/full/neighbours_checksums.safetensors");
  const auto file = open_tensor_file(path.string());
  int tables = 0;
  for (const auto& [name, expected] : file->tensors()) {
    std::smatch match;
    if (!std::regex_match(name, match, std::regex("((to_hp|to_ll)_k([0-9]+))\\.sum_sumsq_weighted"))) {
      continue;
    }
    ++tables;
    const auto shipped =
        open_tensor_file(test::published_file("neighbours_k" + match[3].str() + ".npz").string());
    std::vector<std::int64_t> values = shipped->at(match[2]).to_int64();
    EXPECT_EQ(checksums(values), expected.to_int64()) << name;
    const std::vector<std::int64_t> first = file->at(match[1].str() + ".first3").to_int64();
    EXPECT_TRUE(std::equal(first.begin(), first.end(), values.begin())) << name;
    const std::ptrdiff_t k = std::stoi(match[3]);
    for (auto row = values.begin(); row != values.end(); row += k) {
      std::sort(row, row + k);
    }
    EXPECT_EQ(checksums(values), file->at(match[1].str() + ".sorted_sum_sumsq_weighted").to_int64()) << name;
  }
  if (tables == 0) {
    GTEST_SKIP() << "no key to_*_kK.sum_sumsq_weighted in " << path;
  }
}

}  // namespace
}  // namespace mosaic

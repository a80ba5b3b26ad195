#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "base/files.hpp"
#include "fields/channel.hpp"
#include "grid/neighbours.hpp"
#include "grid/published_files.hpp"
#include "stores/tensor_file.hpp"
#include "support/ball_tree.hpp"

namespace mosaic {
namespace {

using test::published_file;

/// Every line `<sha256>  ./<name>` of SHA256SUMS, checked against `sum_of(name)`.
template <class SumOf>
std::vector<std::string> files_with_other_sums(const SumOf& sum_of, std::size_t& listed) {
  std::istringstream lines(read_text(published_file("SHA256SUMS").string()));
  std::vector<std::string> wrong;
  std::string sum, name;
  for (listed = 0; lines >> sum >> name; ++listed) {
    if (sum_of(name) != sum) {
      wrong.push_back(name);
    }
  }
  return wrong;
}

TEST(PublishedAssets, FilesAreTheListedOnes) {
  std::size_t listed = 0;
  const auto sum_of_file = [](const std::string& name) {
    return sha256_of_file(published_file(name).string());
  };
  EXPECT_TRUE(files_with_other_sums(sum_of_file, listed).empty());
  std::size_t archives = 0;
  for (const auto& entry : std::filesystem::directory_iterator(published_file(""))) {
    archives += entry.path().extension() == ".npz" ? 1 : 0;
  }
  EXPECT_EQ(archives, listed);
  EXPECT_GT(listed, 0U);
}

TEST(PublishedAssets, AChangedByteIsFound) {  // must-fail twin
  std::size_t listed = 0;
  const auto sum_of_changed = [](const std::string& name) {
    std::string bytes = read_text(published_file(name).string());
    bytes.back() ^= 1;
    return sha256_of_text(bytes);
  };
  EXPECT_EQ(files_with_other_sums(sum_of_changed, listed).size(), listed);
}

TEST(PublishedAssets, StaticsLieOnThePublishedGrid) {
  const auto file = open_tensor_file(published_file("static_vars.npz").string());
  const LatLonGrid grid = LatLonGrid::with_poles(240, 121);
  // The stored coordinates carry rounding errors of 6e-14 degrees; the model rounds both to float32.
  EXPECT_EQ(file->at("latitude").to_float(), std::vector<float>(grid.latitude.begin(), grid.latitude.end()));
  EXPECT_EQ(file->at("longitude").to_float(),
            std::vector<float>(grid.longitude.begin(), grid.longitude.end()));
  const TensorView& data = file->at("data");
  ASSERT_EQ(data.shape, (std::vector<std::int64_t>{240, 121, 3}));
  const std::vector<std::string> fields{"geopotential_at_surface", "land_sea_mask", "soil_type"};
  const std::vector<float> values = data.to_float();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const VariableInfo* variable = find_variable(fields[i % 3]);
    ASSERT_TRUE(values[i] >= variable->lower && values[i] <= variable->upper)
        << variable->name << " " << values[i];
  }
  // Latitudes run northwards: the south pole is land on a plateau, the north pole sea.
  EXPECT_GT(values[0], 20000.0F);
  EXPECT_EQ(values[1], 1.0F);
  EXPECT_LT(values[120 * 3 + 1], 0.01F);
}

class NormStats : public testing::TestWithParam<const char*> {};

TEST_P(NormStats, FollowTheChannelOrder) {
  const auto file = open_tensor_file(published_file(GetParam()).string());
  const std::vector<double> mean = file->at("state_mean").to_double();
  const std::vector<double> deviation = file->at("state_std").to_double();
  const ChannelSet channels = mosaic_channels();
  ASSERT_EQ(mean.size(), channels.size());
  ASSERT_EQ(deviation.size(), channels.size());
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const VariableInfo* variable = find_variable(channels[c].variable);
    EXPECT_TRUE(mean[c] > variable->lower && mean[c] < variable->upper)
        << channels[c].name() << " " << mean[c];
    EXPECT_TRUE(deviation[c] > 0.0 && deviation[c] < variable->upper - variable->lower) << channels[c].name();
    if (c > 0 && channels[c].variable == "geopotential" && channels[c - 1].variable == "geopotential") {
      EXPECT_LT(mean[c], mean[c - 1]) << channels[c].name();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Presets, NormStats, testing::Values("norm_stats_era5.npz", "norm_stats_hres.npz"));

/// Targets whose set of neighbours is another one than in the shipped table.
std::size_t differing_sets(const NeighbourTable& ours, const TensorView& shipped) {
  const std::vector<std::int64_t> theirs = shipped.to_int64();
  EXPECT_EQ(ours.index.size(), theirs.size());
  const auto k = static_cast<std::size_t>(ours.k);
  std::size_t different = 0;
  for (std::size_t target = 0; target < ours.targets; ++target) {
    std::vector<std::int64_t> a(ours.row(target).begin(), ours.row(target).end());
    const auto row = theirs.begin() + static_cast<std::ptrdiff_t>(target * k);
    std::vector<std::int64_t> b(row, row + static_cast<std::ptrdiff_t>(k));
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    different += a != b ? 1 : 0;
  }
  return different;
}

// The counts are those of the tie rule (distance rounded to 1e-12 rad, then index) against the published
// tables.
TEST(NeighbourTables, DifferFromTheRuleInKnownTiesOnly) {
  const SpherePoints grid = sphere_points(LatLonGrid::with_poles(240, 121));
  const SpherePoints mesh = sphere_points(HealpixMesh(64));
  const auto k24 = open_tensor_file(published_file("neighbours_k24.npz").string());
  EXPECT_EQ(differing_sets(nearest_neighbours(grid, mesh, 24, 2), k24->at("to_hp")), 132U);
  EXPECT_EQ(differing_sets(nearest_neighbours(mesh, grid, 24, 2), k24->at("to_ll")), 309U);
  const auto k20 = open_tensor_file(published_file("neighbours_k20.npz").string());
  EXPECT_EQ(differing_sets(nearest_neighbours(grid, mesh, 20, 2), k20->at("to_hp")), 260U);
  EXPECT_EQ(differing_sets(nearest_neighbours(mesh, grid, 20, 2), k20->at("to_ll")), 374U);
}

TEST(NeighbourTables, BallTreeBreaksTiesAsPublished) {
  const SpherePoints grid = sphere_points(LatLonGrid::with_poles(240, 121));
  const SpherePoints mesh = sphere_points(HealpixMesh(64));
  for (const int k : {20, 24}) {
    const auto shipped =
        open_tensor_file(published_file("neighbours_k" + std::to_string(k) + ".npz").string());
    EXPECT_EQ(differing_sets(test::ball_tree_neighbours(grid, mesh, k), shipped->at("to_hp")), 0U);
    EXPECT_EQ(differing_sets(test::ball_tree_neighbours(mesh, grid, k), shipped->at("to_ll")), 0U);
  }
}

}  // namespace
}  // namespace mosaic

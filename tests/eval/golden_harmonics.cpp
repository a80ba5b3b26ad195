#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <sstream>
#include <string>

#include "eval/degree_spectra.hpp"
#include "eval/harmonic_fields.hpp"
#include "kernels/harmonic_transform/harmonic_transform.hpp"
#include "support/golden.hpp"
#include "support/golden_store.hpp"

namespace mosaic::eval {
namespace {

using test::GoldenStore;

nlohmann::json read_json(const std::filesystem::path& path) {
  std::ifstream stream(path);
  return nlohmann::json::parse(stream);
}

/// Degrees are compared where they hold more than this share of the total: below, differences of the golden
/// fields' own rounding (1e-16 of the field's amplitude) show.
constexpr double least_share = 1e-12;
constexpr double tolerance = 1e-9;

/// The largest relative difference over the degrees of `ours`; infinite for NaN and for lists too short.
double largest_difference(const std::vector<double>& ours, const std::vector<double>& golden) {
  if (golden.size() < ours.size() || ours.empty()) {
    return INFINITY;
  }
  const double total = std::accumulate(golden.begin(), golden.end(), 0.0);
  double largest = 0.0;
  for (std::size_t l = 0; l < ours.size(); ++l) {
    if (!std::isfinite(ours[l])) {
      return INFINITY;
    }
    if (golden[l] > least_share * total) {
      largest = std::max(largest, std::abs(ours[l] / golden[l] - 1.0));
    } else {
      largest = ours[l] > 2.0 * least_share * total ? INFINITY : largest;
    }
  }
  return largest;
}

bool is_edge(const std::string& name) { return name.starts_with("s_edge"); }

std::vector<double> flipped(const std::vector<double>& field, const LatLonGrid& grid) {
  const std::size_t columns = grid.longitude.size();
  std::vector<double> turned(field.size());
  for (std::size_t i = 0; i < field.size(); ++i) {
    turned[field.size() - columns - i / columns * columns + i % columns] = field[i];
  }
  return turned;
}

struct Wind {
  std::vector<double> u, v;
};

KineticEnergySpectra energy_of(const DegreeSpectra& spectra, const Wind& wind) {
  const double* u[] = {wind.u.data()};
  const double* v[] = {wind.v.data()};
  return spectra.kinetic_energy<double>(u, v);
}

std::vector<double> scalar_energy_of(const DegreeSpectra& spectra, const Wind& wind) {
  const double* u[] = {wind.u.data()};
  const double* v[] = {wind.v.data()};
  return spectra.scalar_form_kinetic_energy<double>(u, v);
}

std::vector<double> power_of(const DegreeSpectra& spectra, const std::vector<double>& field) {
  const double* fields[] = {field.data()};
  return spectra.power<double>(fields);
}

class GoldenHarmonics : public testing::TestWithParam<std::string> {
 protected:
  static std::string fields() { return "eval/sht/fields_" + GetParam() + ".zarr"; }
  static std::string powers() { return "eval/sht/degree_power_" + GetParam() + ".json"; }

  /// Compares `ours` with list `key` of a case and records the difference.
  void compare(const std::string& name, const nlohmann::json& spectra, const std::string& key,
               const std::vector<double>& ours) {
    const double difference = largest_difference(ours, spectra.at(key).get<std::vector<double>>());
    EXPECT_LE(difference, tolerance) << name << " " << key;
    double& worst = worst_.try_emplace(key, 0.0).first->second;
    worst = std::max(worst, difference);
  }

  void TearDown() override {
    for (const auto& [key, difference] : worst_) {
      RecordProperty("largest_difference_" + key, std::to_string(difference * 1e9) + "e-9");
      printf("largest relative difference, %s: %.2e\n", key.c_str(), difference);
    }
  }

 private:
  std::map<std::string, double> worst_;
};

TEST_P(GoldenHarmonics, scalars_have_the_power_of_the_true_coefficients_and_of_both_methods) {
  GOLDEN_OR_SKIP(store, fields());
  GOLDEN_OR_SKIP(file, powers());
  const HarmonicFields stored(store);
  const DegreeSpectra exact(stored.grid, 1), direct(stored.grid, 2, HarmonicMethod::direct);
  std::size_t compared = 0;
  const nlohmann::json golden = read_json(file);
  for (const auto& [name, spectra] : golden.items()) {
    if (!name.starts_with("s_")) {
      continue;
    }
    const std::vector<double> field = stored.read(name);
    compare(name, spectra, "direct_quadrature", power_of(direct, field));
    compare(name, spectra, "exact", power_of(exact, field));
    if (!is_edge(name)) {
      compare(name, spectra, "true", power_of(exact, field));
    }
    ++compared;
  }
  EXPECT_GE(compared, 4U);
}

TEST_P(GoldenHarmonics, winds_have_the_energy_of_both_forms_and_methods) {
  GOLDEN_OR_SKIP(store, fields());
  GOLDEN_OR_SKIP(file, powers());
  const HarmonicFields stored(store);
  const DegreeSpectra exact(stored.grid, 1), direct(stored.grid, 2, HarmonicMethod::direct);
  const std::vector<double> weights = quadrature_weights(stored.grid);
  std::size_t compared = 0;
  const nlohmann::json golden = read_json(file);
  for (const auto& [name, spectra] : golden.items()) {
    if (!name.starts_with("uv_")) {
      continue;
    }
    const Wind wind{stored.read("u" + name.substr(2)), stored.read("v" + name.substr(2))};
    const KineticEnergySpectra energy = energy_of(exact, wind);
    compare(name, spectra, "true_vector", energy.total);
    compare(name, spectra, "vector_exact", energy.total);
    compare(name, spectra, "vector_exact_rotational_part", energy.rotational);
    compare(name, spectra, "vector_exact_divergent_part", energy.divergent);
    compare(name, spectra, "vector_direct", energy_of(direct, wind).total);
    compare(name, spectra, "scalar_exact", scalar_energy_of(exact, wind));
    compare(name, spectra, "scalar_direct", scalar_energy_of(direct, wind));
    double mean = 0.0;
    for (std::size_t i = 0; i < wind.u.size(); ++i) {
      const std::size_t columns = stored.grid.longitude.size();
      mean += weights[i / columns] * (wind.u[i] * wind.u[i] + wind.v[i] * wind.v[i]) /
              static_cast<double>(columns);
    }
    EXPECT_NEAR(std::accumulate(energy.total.begin(), energy.total.end(), 0.0) / (0.5 * mean), 1.0, 1e-6)
        << name << ": the quadrature of squares is exact to half of the degrees only";
    ++compared;
  }
  EXPECT_GE(compared, 3U);
}

/// case, l, m -> coefficient
using Coefficients =
    std::map<std::string, std::map<std::pair<std::size_t, std::size_t>, std::complex<double>>>;

/// Columns re_`kind`, im_`kind` of case,l,m,re_true,im_true,re_direct,im_direct.
Coefficients read_coefficients(const std::filesystem::path& path, const std::string& kind) {
  std::ifstream stream(path);
  Coefficients all;
  std::string line;
  std::getline(stream, line);
  const std::size_t first = kind == "true" ? 3 : 5;
  while (std::getline(stream, line)) {
    std::stringstream cells(line);
    std::vector<std::string> row;
    for (std::string cell; std::getline(cells, cell, ',');) {
      row.push_back(cell);
    }
    all[row.at(0)][{std::stoul(row.at(1)), std::stoul(row.at(2))}] = {std::stod(row.at(first)),
                                                                      std::stod(row.at(first + 1))};
  }
  return all;
}

std::vector<double> coefficients_of(const DegreeSpectra& spectra, const std::vector<double>& field) {
  const HarmonicTables& tables = spectra.tables();
  std::vector<double> power(tables.lmax + 1), coefficients(2 * harmonic_rows(tables.lmax));
  const double* fields[] = {field.data()};
  kernels::scalar_harmonics<double>({.fields = fields,
                                     .shape = {tables.latitudes, tables.longitudes, tables.lmax},
                                     .scalar = tables.scalar,
                                     .power = power,
                                     .coefficients = coefficients});
  return coefficients;
}

TEST_P(GoldenHarmonics, coefficients_are_those_of_the_fields) {
  GOLDEN_OR_SKIP(store, fields());
  GOLDEN_OR_SKIP(file, "eval/sht/coefficients_" + GetParam() + ".csv");
  const HarmonicFields stored(store);
  for (const HarmonicMethod method : {HarmonicMethod::exact, HarmonicMethod::direct}) {
    const bool exact = method == HarmonicMethod::exact;
    const DegreeSpectra spectra(stored.grid, 1, method);
    std::size_t wrong = 0, wrong_flipped = 0, compared = 0;
    for (const auto& [name, golden] : read_coefficients(file, exact ? "true" : "direct")) {
      if (exact && is_edge(name)) {
        continue;
      }
      const std::vector<double> field = stored.read(name);
      const std::vector<double> ours = coefficients_of(spectra, field);
      const std::vector<double> turned = coefficients_of(spectra, flipped(field, stored.grid));
      double largest = 1.0;
      for (const auto& [place, value] : golden) {
        largest = std::max(largest, std::abs(value));
      }
      for (const auto& [place, value] : golden) {
        const auto [l, m] = place;
        ASSERT_LE(l, spectra.lmax());
        const std::size_t row = 2 * harmonic_row(spectra.lmax(), m, l);
        const auto distance = [&, value = value](const std::vector<double>& a) {
          return std::abs(std::complex<double>(a[row], a[row + 1]) - value);
        };
        // Sums of J L terms of size 1, and of J table entries, each off by some roundings.
        wrong += distance(ours) <= 1e-12 * largest ? 0 : 1;
        wrong_flipped += distance(turned) <= 1e-12 * largest ? 0 : 1;
        ++compared;
      }
    }
    EXPECT_EQ(wrong, 0U) << to_string(method);
    EXPECT_GT(compared, 50U);
    EXPECT_GT(wrong_flipped, compared / 4) << "must fail: latitudes from north to south";
  }
}

TEST_P(GoldenHarmonics, quadrature_weights_are_the_golden_ones) {
  GOLDEN_OR_SKIP(store, fields());
  GOLDEN_OR_SKIP(file, "eval/sht/quadrature_" + GetParam() + ".json");
  const auto golden = read_json(file).at("weights_sum_to_1").get<std::vector<double>>();
  const std::vector<double> ours = quadrature_weights(HarmonicFields(store).grid);
  ASSERT_EQ(ours.size(), golden.size());
  for (std::size_t j = 0; j < ours.size(); ++j) {
    EXPECT_NEAR(ours[j], golden[j], 1e-16 * static_cast<double>(ours.size())) << j;
  }
}

/// Must fail: the comparison notices wrong methods and grids.
TEST_P(GoldenHarmonics, other_methods_and_turned_winds_are_noticed) {
  GOLDEN_OR_SKIP(store, fields());
  GOLDEN_OR_SKIP(file, powers());
  const HarmonicFields stored(store);
  const nlohmann::json golden = read_json(file);
  const DegreeSpectra exact(stored.grid, 1), direct(stored.grid, 1, HarmonicMethod::direct);
  const auto list = [&](const std::string& name, const std::string& key) {
    return golden.at(name).at(key).get<std::vector<double>>();
  };
  std::vector<double> by_quadrature = power_of(direct, stored.read("s_few_high"));
  by_quadrature.resize(exact.lmax() + 1);
  EXPECT_GT(largest_difference(by_quadrature, list("s_few_high", "exact")), 1e-3);
  const std::string name = GetParam() == "121x240" ? "random_lmax119" : "random_lmax30";
  Wind wind{stored.read("u_" + name), stored.read("v_" + name)};
  EXPECT_GT(largest_difference(scalar_energy_of(exact, wind), list("uv_" + name, "vector_exact")), 1e-2);
  wind = {flipped(wind.u, stored.grid), flipped(wind.v, stored.grid)};  // v must change its sign as well
  EXPECT_GT(largest_difference(energy_of(exact, wind).rotational,
                               list("uv_" + name, "vector_exact_rotational_part")),
            1e-2);
}

INSTANTIATE_TEST_SUITE_P(grids, GoldenHarmonics, testing::Values("32x64", "121x240"));

/// Spectra of the weather stores: mean over the first 4 times of the truth; over the first 2 initial times
/// and the members of the ensemble.
class GoldenDegreeSpectra : public testing::TestWithParam<std::string> {
 protected:
  using Fields = std::vector<std::vector<double>>;

  /// Members at a time, each [latitude, longitude]; or their mean.
  static Fields members(const GoldenStore& store, const Channel& channel, std::size_t time, std::size_t lead,
                        bool mean) {
    const std::vector<float> values = store.read(channel, time, lead);
    const std::size_t points = store.grid->points();
    Fields fields(mean ? 1 : store.members, std::vector<double>(points, 0.0));
    for (std::size_t i = 0; i < values.size(); ++i) {
      fields[mean ? 0 : i / points][i % points] +=
          static_cast<double>(values[i]) / (mean ? static_cast<double>(store.members) : 1.0);
    }
    return fields;
  }

  static bool has(const GoldenStore& store, const Channel& channel) {
    return std::find(store.channels.begin(), store.channels.end(), channel) != store.channels.end();
  }

  /// The golden list's own mean, or nothing if the store lacks the channels.
  static std::optional<std::vector<double>> mean_spectrum(const GoldenStore& store,
                                                          const DegreeSpectra& spectra,
                                                          const Channel& channel, std::size_t times,
                                                          std::size_t lead, bool of_mean) {
    const bool wind = channel.variable == "kinetic_energy";
    const Channel u{wind ? "u_component_of_wind" : channel.variable, channel.level};
    const Channel v{"v_component_of_wind", channel.level};
    if (!has(store, u) || (wind && !has(store, v)) || store.times.size() < times) {
      return std::nullopt;
    }
    std::vector<double> mean(spectra.lmax() + 1, 0.0);
    for (std::size_t t = 0; t < times; ++t) {
      const Fields first = members(store, u, t, lead, of_mean);
      const Fields second = wind ? members(store, v, t, lead, of_mean) : first;
      std::vector<const double*> x, y;
      for (std::size_t f = 0; f < first.size(); ++f) {
        x.push_back(first[f].data());
        y.push_back(second[f].data());
      }
      const std::vector<double> power =
          wind ? spectra.kinetic_energy<double>(x, y).total : spectra.power<double>(x);
      for (std::size_t i = 0; i < power.size(); ++i) {
        mean[i % mean.size()] += power[i] / static_cast<double>(times * first.size());
      }
    }
    return mean;
  }

  /// VARIABLE or VARIABLE@LEVEL, up to a blank.
  static Channel channel_of(const std::string& key) {
    const std::string name = key.substr(0, key.find(' '));
    const auto at = name.find('@');
    return at == std::string::npos ? Channel{name, std::nullopt}
                                   : Channel{name.substr(0, at), std::stoi(name.substr(at + 1))};
  }

  /// Compares all lists whose channels the store has.
  static void compare(const nlohmann::json& lists, const DegreeSpectra& spectra, std::size_t least,
                      const std::function<std::optional<std::vector<double>>(const std::string&)>& ours) {
    std::size_t compared = 0;
    double largest = 0.0;
    for (const auto& [key, list] : lists.items()) {
      const auto mean = ours(key);
      if (!mean) {
        printf("not in the store: %s\n", key.c_str());
        continue;
      }
      ASSERT_EQ(mean->size(), spectra.lmax() + 1);
      const double difference = largest_difference(*mean, list.get<std::vector<double>>());
      EXPECT_LE(difference, tolerance) << key;
      largest = std::max(largest, difference);
      ++compared;
    }
    EXPECT_GE(compared, least);
    printf("largest relative difference of %zu spectra: %.2e\n", compared, largest);
  }
};

TEST_P(GoldenDegreeSpectra, truth) {
  GOLDEN_OR_SKIP(file, "eval/" + GetParam() + "/expected/sh_spectra.json");
  GOLDEN_OR_SKIP(path, "eval/" + GetParam() + "/truth.zarr");
  const nlohmann::json golden = read_json(file);
  const GoldenStore store(path);
  const DegreeSpectra spectra(*store.grid, 2);
  EXPECT_EQ(spectra.lmax(), golden.at("lmax").get<std::size_t>());
  compare(golden.at("truth"), spectra, 2, [&](const std::string& key) {
    return mean_spectrum(store, spectra, channel_of(key), 4, 0, false);
  });
}

TEST_P(GoldenDegreeSpectra, ensemble) {
  GOLDEN_OR_SKIP(file, "eval/" + GetParam() + "/expected/sh_spectra.json");
  GOLDEN_OR_SKIP(path, "eval/" + GetParam() + "/ensemble.zarr");
  const nlohmann::json golden = read_json(file);
  const GoldenStore store(path);
  const DegreeSpectra spectra(*store.grid, 2);
  compare(golden.at("ensemble"), spectra, 2,
          [&](const std::string& key) -> std::optional<std::vector<double>> {
            const Duration hours = Duration::hours(std::stoi(key.substr(key.find("lead_h=") + 7)));
            const auto lead = std::find(store.leads.begin(), store.leads.end(), hours);
            if (lead == store.leads.end()) {
              return std::nullopt;
            }
            return mean_spectrum(store, spectra, channel_of(key), 2,
                                 static_cast<std::size_t>(lead - store.leads.begin()),
                                 key.ends_with("of ensemble mean"));
          });
}

INSTANTIATE_TEST_SUITE_P(stores, GoldenDegreeSpectra, testing::Values("small", "medium"));

}  // namespace
}  // namespace mosaic::eval

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

/// Relative tolerance of P_l where it holds more than a share of 1e-12 of the total.
constexpr double tolerance = 1e-9;
constexpr double least_share = 1e-12;

/// The largest relative difference over the degrees of `ours` with more than the least share; infinite for
/// NaN and for lists too short.
double largest_difference(const std::vector<double>& ours, const std::vector<double>& golden, double total,
                          double share = least_share) {
  if (golden.size() < ours.size() || ours.empty()) {
    return INFINITY;
  }
  double largest = 0.0;
  for (std::size_t l = 0; l < ours.size(); ++l) {
    if (!std::isfinite(ours[l])) {
      return INFINITY;
    }
    if (golden[l] > share * total) {
      largest = std::max(largest, std::abs(ours[l] / golden[l] - 1.0));
    }
  }
  return largest;
}

double sum(const std::vector<double>& list) { return std::accumulate(list.begin(), list.end(), 0.0); }

double largest_difference(const std::vector<double>& ours, const std::vector<double>& golden) {
  return largest_difference(ours, golden, sum(golden));
}

/// Degrees that differ by more than rounding allows, whatever their share. With an error d of each of 2 l + 1
/// amplitudes P_l moves by 2 d sqrt(P_l total) + (2 l + 1) d^2 total; two transforms in double are together
/// off by some tens of roundings of the field's amplitude, 64 allowed.
std::size_t wrong_degrees(const std::vector<double>& ours, const std::vector<double>& golden, double total) {
  const double d = 64.0 * 0x1p-52;
  std::size_t wrong = golden.size() < ours.size() || ours.empty() ? 1 : 0;
  for (std::size_t l = 0; wrong == 0 && l < ours.size(); ++l) {
    const double amplitudes = 2.0 * static_cast<double>(l) + 1.0;
    const double allowed =
        tolerance * golden[l] + 2.0 * d * std::sqrt(golden[l] * total) + amplitudes * d * d * total;
    wrong += std::abs(ours[l] - golden[l]) <= allowed ? 0 : 1;
  }
  return wrong;
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

  /// Compares `ours` with list `key` of a case whose power is `total`, and records the difference.
  void compare(const std::string& name, const nlohmann::json& spectra, const std::string& key,
               const std::vector<double>& ours, double total) {
    const auto golden = spectra.at(key).get<std::vector<double>>();
    EXPECT_EQ(wrong_degrees(ours, golden, total), 0U) << name << " " << key;
    const double difference = largest_difference(ours, golden, total);
    const bool exact = key.find("direct") == std::string::npos && key.find("scalar") == std::string::npos;
    // The other golden lists have their own rounding in their weakest degrees: up to 4e-9 at a share of
    // 1e-12.
    EXPECT_LE(exact ? difference : largest_difference(ours, golden, total, 1e-11), tolerance)
        << name << " " << key;
    double& worst = worst_.try_emplace(key, 0.0).first->second;
    worst = std::max(worst, difference);
  }

  void TearDown() override {
    for (const auto& [key, difference] : worst_) {
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
    const double total = sum(spectra.at("true").get<std::vector<double>>());
    compare(name, spectra, "direct_quadrature", power_of(direct, field), total);
    const std::vector<double> power = power_of(exact, field);
    if (is_edge(name)) {  // all of it beyond lmax
      EXPECT_LE(sum(power), 1e-20 * total) << name;
    } else {
      compare(name, spectra, "exact", power, total);
      compare(name, spectra, "true", power, total);
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
    const double total = sum(spectra.at("true_vector").get<std::vector<double>>());
    compare(name, spectra, "true_vector", energy.total, total);
    compare(name, spectra, "vector_exact", energy.total, total);
    compare(name, spectra, "vector_exact_rotational_part", energy.rotational, total);
    compare(name, spectra, "vector_exact_divergent_part", energy.divergent, total);
    compare(name, spectra, "vector_direct", energy_of(direct, wind).total, total);
    compare(name, spectra, "scalar_exact", scalar_energy_of(exact, wind), total);
    compare(name, spectra, "scalar_direct", scalar_energy_of(direct, wind), total);
    double mean = 0.0;
    for (std::size_t i = 0; i < wind.u.size(); ++i) {
      const std::size_t columns = stored.grid.longitude.size();
      mean += weights[i / columns] * (wind.u[i] * wind.u[i] + wind.v[i] * wind.v[i]) /
              static_cast<double>(columns);
    }
    // Squares have twice the degree of the wind; the quadrature is exact below the number of latitudes.
    const bool quadrature_exact = !name.ends_with("lmax119") && !name.ends_with("lmax30");
    EXPECT_NEAR(sum(energy.total) / (0.5 * mean), 1.0,
                quadrature_exact && !name.ends_with("m57") ? 1e-12 : 2e-5)
        << name;
    ++compared;
  }
  EXPECT_GE(compared, 3U);
}

/// Fields rounded to float, as they come from stores, keep the power of their true coefficients where a
/// spectrum of the atmosphere's slope has it.
TEST_P(GoldenHarmonics, floats_keep_the_power_to_degree_60) {
  GOLDEN_OR_SKIP(store, fields());
  GOLDEN_OR_SKIP(file, powers());
  const HarmonicFields stored(store);
  const DegreeSpectra exact(stored.grid, 1);
  const nlohmann::json golden = read_json(file);
  std::size_t compared = 0;
  for (const auto& [name, spectra] : golden.items()) {
    if (!name.starts_with("s_random")) {
      continue;
    }
    const std::vector<double> field = stored.read(name);
    const std::vector<float> rounded(field.begin(), field.end());
    const float* one[] = {rounded.data()};
    std::vector<double> power = exact.power<float>(one);
    power.resize(std::min<std::size_t>(power.size(), 61));
    EXPECT_LE(largest_difference(power, spectra.at("true").get<std::vector<double>>()), 1e-4) << name;
    ++compared;
  }
  EXPECT_GE(compared, 2U);
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

  /// Spectra of some fields, or of some winds: [F, lmax + 1].
  using Form = std::function<std::vector<double>(const std::vector<const double*>&,
                                                 const std::vector<const double*>&)>;

  /// The golden list's own mean, or nothing if the store lacks the channels.
  static std::optional<std::vector<double>> mean_spectrum(const GoldenStore& store, const Form& form,
                                                          const Channel& channel, std::size_t times,
                                                          std::size_t lead, bool of_mean) {
    const bool wind = is_wind(channel);
    const Channel u{wind ? "u_component_of_wind" : channel.variable, channel.level};
    const Channel v{wind ? "v_component_of_wind" : channel.variable, channel.level};
    if (!has(store, u) || !has(store, v) || store.times.size() < times) {
      return std::nullopt;
    }
    std::vector<double> mean;
    for (std::size_t t = 0; t < times; ++t) {
      const Fields first = members(store, u, t, lead, of_mean), second = members(store, v, t, lead, of_mean);
      std::vector<const double*> x, y;
      for (std::size_t f = 0; f < first.size(); ++f) {
        x.push_back(first[f].data());
        y.push_back(second[f].data());
      }
      const std::vector<double> power = form(x, y);
      mean.resize(power.size() / x.size(), 0.0);
      for (std::size_t i = 0; i < power.size(); ++i) {
        mean[i % mean.size()] += power[i] / static_cast<double>(times * x.size());
      }
    }
    return mean;
  }

  static bool is_wind(const Channel& channel) { return channel.variable == "kinetic_energy"; }

  /// The main form of a channel: power, or kinetic energy in vector form.
  static Form main_form(const DegreeSpectra& spectra, const Channel& channel) {
    if (is_wind(channel)) {
      return [&](const auto& u, const auto& v) { return spectra.kinetic_energy<double>(u, v).total; };
    }
    return [&](const auto& x, const auto&) { return spectra.power<double>(x); };
  }

  /// VARIABLE or VARIABLE@LEVEL, up to a blank.
  static Channel channel_of(const std::string& key) {
    const std::string name = key.substr(0, key.find(' '));
    const auto at = name.find('@');
    return at == std::string::npos ? Channel{name, std::nullopt}
                                   : Channel{name.substr(0, at), std::stoi(name.substr(at + 1))};
  }

  void compare(const std::string& key, const nlohmann::json& list, std::optional<std::vector<double>> ours) {
    if (!ours) {
      ++absent_;
      return;
    }
    if (key.ends_with("direct_quadrature")) {  // the last degree is not in the list
      ours->pop_back();
    }
    const double difference = largest_difference(*ours, list.get<std::vector<double>>());
    EXPECT_LE(difference, tolerance) << key;
    largest_ = std::max(largest_, difference);
    ++compared_;
  }

  void TearDown() override {
    printf("%zu spectra compared, largest relative difference %.2e; %zu not in the store\n", compared_,
           largest_, absent_);
  }

  std::size_t compared() const { return compared_; }

 private:
  std::size_t compared_ = 0, absent_ = 0;
  double largest_ = 0.0;
};

TEST_P(GoldenDegreeSpectra, truth) {
  GOLDEN_OR_SKIP(file, "eval/" + GetParam() + "/expected/sh_spectra.json");
  GOLDEN_OR_SKIP(path, "eval/" + GetParam() + "/truth.zarr");
  const nlohmann::json golden = read_json(file);
  const GoldenStore store(path);
  const DegreeSpectra spectra(*store.grid, 2), direct(*store.grid, 2, HarmonicMethod::direct);
  EXPECT_EQ(spectra.lmax(), golden.at("lmax").get<std::size_t>());
  const std::map<std::string, Form> forms = {
      {"vector_exact", main_form(spectra, {"kinetic_energy", std::nullopt})},
      {"rotational",
       [&](const auto& u, const auto& v) { return spectra.kinetic_energy<double>(u, v).rotational; }},
      {"divergent",
       [&](const auto& u, const auto& v) { return spectra.kinetic_energy<double>(u, v).divergent; }},
      {"scalar_exact",
       [&](const auto& u, const auto& v) { return spectra.scalar_form_kinetic_energy<double>(u, v); }},
      {"vector_direct_quadrature",
       [&](const auto& u, const auto& v) { return direct.kinetic_energy<double>(u, v).total; }},
  };
  for (const auto& [key, list] : golden.at("truth").items()) {
    const Channel channel = channel_of(key);
    if (list.is_array()) {
      compare(key, list, mean_spectrum(store, main_form(spectra, channel), channel, 4, 0, false));
      continue;
    }
    for (const auto& [form, values] : list.items()) {
      compare(key + " " + form, values, mean_spectrum(store, forms.at(form), channel, 4, 0, false));
    }
  }
  EXPECT_GE(compared(), 6U);
}

TEST_P(GoldenDegreeSpectra, ensemble) {
  GOLDEN_OR_SKIP(file, "eval/" + GetParam() + "/expected/sh_spectra.json");
  GOLDEN_OR_SKIP(path, "eval/" + GetParam() + "/ensemble.zarr");
  const nlohmann::json golden = read_json(file);
  const GoldenStore store(path);
  const DegreeSpectra spectra(*store.grid, 2);
  for (const auto& [key, list] : golden.at("ensemble").items()) {
    const Duration hours = Duration::hours(std::stoi(key.substr(key.find("lead_h=") + 7)));
    const auto found = std::find(store.leads.begin(), store.leads.end(), hours);
    const auto lead = static_cast<std::size_t>(found - store.leads.begin());
    const Channel channel = channel_of(key);
    const bool of_mean = key.ends_with("of ensemble mean");
    compare(key, list,
            found == store.leads.end()
                ? std::nullopt
                : mean_spectrum(store, main_form(spectra, channel), channel, 2, lead, of_mean));
  }
  if (compared() == 0) {
    GTEST_SKIP() << "golden data absent: winds in " << path.string();
  }
  EXPECT_GE(compared(), 4U);
}

INSTANTIATE_TEST_SUITE_P(stores, GoldenDegreeSpectra, testing::Values("small", "medium"));

}  // namespace
}  // namespace mosaic::eval

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "device/device_arrays.hpp"
#include "fmt/format.h"
#include "kernels/ensemble_case.hpp"
#include "kernels/ensemble_statistics/ensemble_statistics_device.hpp"
#include "support/errors.hpp"

namespace mosaic::kernels {
namespace {

struct Choices {
  bool energy = true, ranks = true, climatology = true;
  bool scattered = false;  ///< whether fields lie apart and last first among a member's numbers
};

DeviceMemory upload_places(const std::vector<std::int64_t>& places) {
  DeviceMemory memory(places.size() * sizeof(std::int64_t));
  const Stream stream;
  copy_to_device(memory.data(), places.data(), memory.bytes(), stream);
  stream.wait();
  return memory;
}

/// Where fields begin among a member's numbers.
std::vector<std::int64_t> places_of(std::size_t fields, std::size_t points, const Choices& choices) {
  std::vector<std::int64_t> places;
  for (std::size_t f = 0; f < fields; ++f) {
    const std::size_t place = choices.scattered ? (fields - 1 - f) * (points + 2) + 1 : f * points;
    places.push_back(static_cast<std::int64_t>(place));
  }
  return places;
}

/// Fields of the same ensemble and grid, areas of the first, on the device. Returns [F, field_numbers].
std::vector<double> device_sums(const std::vector<EnsembleCase>& fields, const Choices& choices = {}) {
  const EnsembleCase& first = fields.front();
  const std::size_t points = first.truth.size(), members = first.members.size(), gap = 3;
  const std::size_t stride = fields.size() * (choices.scattered ? points + 2 : points) + gap;
  std::vector<float> forecast(members * stride, NAN), truth, climatology;
  std::vector<double> weights;
  const std::vector<std::int64_t> places = places_of(fields.size(), points, choices);
  for (std::size_t m = 0; m < members; ++m) {
    for (std::size_t f = 0; f < fields.size(); ++f) {
      const auto begin = static_cast<std::size_t>(places[f]) + m * stride;
      std::copy_n(fields[f].members[m].begin(), points,
                  forecast.begin() + static_cast<std::ptrdiff_t>(begin));
    }
  }
  for (const EnsembleCase& field : fields) {
    truth.insert(truth.end(), field.truth.begin(), field.truth.end());
    climatology.insert(climatology.end(), field.climatology.begin(), field.climatology.end());
  }
  for (const AreaMask& area : first.areas) {
    for (std::size_t point = 0; point < points; ++point) {
      weights.push_back(area.weight_at(point / first.columns, point % first.columns));
    }
  }
  const auto device_forecast = upload(forecast), device_truth = upload(truth),
             device_climatology = upload(climatology);
  const auto device_weights = upload_doubles(weights);
  DeviceEnsembleArgs args;
  args.fields = static_cast<std::int64_t>(fields.size());
  args.members = static_cast<std::int64_t>(members);
  args.points = static_cast<std::int64_t>(points);
  args.areas = static_cast<std::int64_t>(first.areas.size());
  args.forecast = device_forecast.as<float>();
  args.member_stride = static_cast<std::int64_t>(stride);
  const DeviceMemory device_places = upload_places(places);
  args.places = choices.scattered ? device_places.as<std::int64_t>() : nullptr;
  args.truth = device_truth.as<float>();
  args.climatology = choices.climatology ? device_climatology.as<float>() : nullptr;
  args.weights = device_weights.as<double>();
  args.missing = first.missing;
  args.energy = choices.energy;
  args.ranks = choices.ranks;
  const auto poison = std::numeric_limits<double>::quiet_NaN();
  const auto workspace =
      upload_doubles(std::vector<double>(static_cast<std::size_t>(args.workspace_numbers()), poison));
  std::vector<double> sums(static_cast<std::size_t>(args.fields * args.field_numbers()), poison);
  const auto device_sums = upload_doubles(sums);
  args.workspace = workspace.as<double>();
  args.sums = device_sums.as<double>();
  const Stream stream;
  ensemble_statistics(args, stream);
  copy_to_host(sums.data(), device_sums.data(), device_sums.bytes(), stream);
  stream.wait();
  return sums;
}

/// Sums of at most J I M terms with a few roundings each, as in the test of the host's backends.
double limit_of(const EnsembleCase& which) {
  double size = 0;
  for (const auto& field : which.members) {
    for (std::size_t i = 0; i < field.size(); ++i) {
      size = std::max({size, std::abs(double(field[i])), std::abs(double(which.truth[i]))});
    }
  }
  const double terms = static_cast<double>(which.truth.size() * which.members.size()) + 16;
  return terms * 0x1p-53 * std::max(4 * size, 4 * size * size);
}

bool agree(double ours, double truth, double limit) {
  return std::isnan(truth)   ? std::isnan(ours)
         : std::isinf(truth) ? ours == truth
                             : std::abs(ours - truth) <= limit;
}

/// Device against definition, all fields; an empty text if they agree.
std::string difference(const std::vector<EnsembleCase>& fields, const Choices& choices = {}) {
  const std::size_t members = fields.front().members.size(), areas = fields.front().areas.size();
  const auto sums = device_sums(fields, choices);
  const std::size_t of_field = sums.size() / fields.size();
  const std::size_t of_ranks = choices.ranks ? 3 * (members + 1) : 0;
  const std::size_t of_area = (of_field - of_ranks) / areas;
  for (std::size_t f = 0; f < fields.size(); ++f) {
    std::vector<double> ranks;
    const auto truth = fields[f].run(EnsembleStatisticsBackend::reference, 1, &ranks);
    const std::span<const double> ours = std::span(sums).subspan(f * of_field, of_field);
    for (std::size_t r = 0; r < areas; ++r) {
      const Statistics means =
          statistics_of_sums(ours.subspan(r * of_area, of_area), members, choices.energy);
      for (std::size_t s = 0; s < statistic_count; ++s) {
        if (!agree(means[s], truth[r][s], limit_of(fields[f]))) {
          return fmt::format("{} members, {} points, field {}, area {}, statistic {}: {} instead of {}",
                             members, fields[f].truth.size(), f, r, s, means[s], truth[r][s]);
        }
      }
    }
    for (std::size_t k = 0; k < of_ranks; ++k) {
      const double count = ours[areas * of_area + k];
      if (!agree(count, ranks[k], 1e-12 * static_cast<double>(fields[f].truth.size()))) {
        return fmt::format("{} members, field {}, rank count {}: {} instead of {}", members, f, k, count,
                           ranks[k]);
      }
    }
  }
  return "";
}

using DeviceEnsembleStatistics = DeviceTest;

TEST_F(DeviceEnsembleStatistics, FollowsReference) {
  for (const std::size_t members : {1U, 2U, 3U, 8U, 9U, 24U, 64U}) {
    for (const auto& [rows, columns] : {std::pair{1U, 1U}, {7U, 13U}, {9U, 31U}}) {
      std::vector<EnsembleCase> fields{{members, rows, columns, 1}, {members, rows, columns, 100}};
      EXPECT_EQ(difference(fields), "");
      fields[0].missing = fields[1].missing = MissingValues::skip;
      EXPECT_EQ(difference(fields), "");
    }
  }
}

TEST_F(DeviceEnsembleStatistics, SeveralParts) {
  EXPECT_EQ(difference({EnsembleCase(4, 9, 240, 5)}), "");  // 2160 points: two parts and a bit
}

/// Temperatures [K]: spread and variance are small against the values.
TEST_F(DeviceEnsembleStatistics, SmallSpread) {
  EnsembleCase which(24, 7, 13, 3);
  for (auto& member : which.members) {
    for (std::size_t i = 0; i < member.size(); ++i) {
      member[i] = 280.0F + 0.01F * member[i];
      which.truth[i] = 280.0F + 0.01F * which.climatology[i];
    }
  }
  const double limit = 1e-9;  // of values of 1e-2 and 1e-4; squares of the values would lose 1e-11 of 8e4
  const auto sums = device_sums({which}, {.ranks = false});
  const auto truth = which.run(EnsembleStatisticsBackend::reference);
  const Statistics ours = statistics_of_sums(std::span(sums).first(sums.size() / 4), 24, true);
  for (const Statistic statistic : {Statistic::spread, Statistic::absolute_error, Statistic::error}) {
    EXPECT_NEAR(at(ours, statistic), at(truth[0], statistic), 1e-2 * limit);
  }
  EXPECT_NEAR(at(ours, Statistic::variance), at(truth[0], Statistic::variance), 1e-4 * limit);
}

TEST_F(DeviceEnsembleStatistics, TiesCountAsInTheReference) {
  EnsembleCase which(9, 5, 31, 3);
  const auto coarse = [](std::vector<float>& field) {
    for (float& x : field) {
      x = std::round(x);
    }
  };
  std::for_each(which.members.begin(), which.members.end(), coarse);
  coarse(which.truth);
  EXPECT_EQ(difference({which}), "");
}

TEST_F(DeviceEnsembleStatistics, MissesTheSameValues) {
  for (const auto missing : {MissingValues::propagate, MissingValues::skip}) {
    for (const std::size_t members : {1U, 2U, 4U}) {
      EnsembleCase which(members, 7, 13, 11);
      which.missing = missing;
      which.members[0][40] = which.members[members - 1][5] = NAN;
      for (auto& member : which.members) {
        member[60] = NAN;
      }
      which.truth[70] = NAN;
      which.truth[13] = which.members[0][13];
      EXPECT_EQ(difference({which}), "") << (missing == MissingValues::skip ? "skip" : "propagate");
    }
  }
}

TEST_F(DeviceEnsembleStatistics, AgreesWhatIsInfinite) {
  for (const std::size_t members : {2U, 3U, 6U}) {
    for (const float infinity : {INFINITY, -INFINITY}) {
      EnsembleCase which(members, 3, 20, 8);
      which.members[members / 2][17] = infinity;
      const std::string found = difference({which});
      EXPECT_EQ(found, "");
    }
  }
}

TEST_F(DeviceEnsembleStatistics, PartsThatAreNotAskedFor) {
  EnsembleCase which(5, 7, 13, 2);
  const auto all = device_sums({which});
  const auto some = device_sums({which}, {.energy = false, .ranks = false, .climatology = false});
  const std::size_t of_area = some.size() / 4, of_area_all = of_area + 20;
  ASSERT_EQ(of_area, statistic_count + 1);
  for (std::size_t r = 0; r < 4; ++r) {
    for (std::size_t s = 0; s < of_area; ++s) {
      const auto statistic = static_cast<Statistic>(s);
      const bool anomaly = statistic == Statistic::anomaly_product ||
                           statistic == Statistic::forecast_anomaly_squared ||
                           statistic == Statistic::truth_anomaly_squared;
      EXPECT_TRUE(anomaly ? std::isnan(some[r * of_area + s])
                          : some[r * of_area + s] == all[r * of_area_all + s])
          << "area " << r << ", number " << s;
    }
  }
}

TEST_F(DeviceEnsembleStatistics, SameBitsAloneAndInEveryOrder) {
  const EnsembleCase first(9, 7, 31, 1), second(9, 7, 31, 50);
  const auto both = device_sums({first, second});
  const auto half = static_cast<std::ptrdiff_t>(both.size() / 2);
  EXPECT_EQ(device_sums({second}), std::vector<double>(both.begin() + half, both.end()));
  in_all_orders([&] { return device_sums({first}); });
}

TEST_F(DeviceEnsembleStatistics, FieldsAnywhereGiveTheSameBits) {
  for (const std::size_t members : {1U, 5U, 9U}) {
    const std::vector<EnsembleCase> fields{{members, 7, 31, 1}, {members, 7, 31, 50}, {members, 7, 31, 90}};
    EXPECT_EQ(difference(fields, {.scattered = true}), "");
    if (members > 1) {  // one has statistics that are NaN
      EXPECT_EQ(device_sums(fields, {.scattered = true}), device_sums(fields));
    }
  }
}

TEST_F(DeviceEnsembleStatistics, MustFailTwins) {
  const EnsembleCase right(5, 7, 13, 1);
  const auto compared_with = [&](const EnsembleCase& wrong) {
    const auto sums = device_sums({wrong}, {.ranks = false});
    const Statistics ours = statistics_of_sums(std::span(sums).first(sums.size() / 4), 5, true);
    const Statistics truth = right.run(EnsembleStatisticsBackend::reference)[0];
    int found = 0;
    for (std::size_t s = 0; s < statistic_count; ++s) {
      found += agree(ours[s], truth[s], limit_of(right)) ? 0 : 1;
    }
    return found;
  };
  EXPECT_EQ(compared_with(right), 0);
  EnsembleCase swapped = right;  // only the energy spread knows the order of members
  std::swap(swapped.members[0], swapped.members[1]);
  EXPECT_EQ(compared_with(swapped), 1);
  EnsembleCase shifted = right;
  std::rotate(shifted.truth.begin(), shifted.truth.begin() + 1, shifted.truth.end());
  EXPECT_GE(compared_with(shifted), 5);
}

TEST_F(DeviceEnsembleStatistics, RefusesOtherShapes) {
  const auto code = [](std::int64_t members, std::int64_t stride, const std::int64_t* places = nullptr) {
    DeviceEnsembleArgs args;
    args.places = places;
    args.fields = args.points = args.areas = 2;
    args.members = members;
    args.member_stride = stride;
    return test::code_of([&] { ensemble_statistics(args, Stream()); });
  };
  EXPECT_EQ(code(0, 4), ExitCode::internal);
  EXPECT_EQ(code(65, 4), ExitCode::internal);
  EXPECT_EQ(code(2, 3), ExitCode::internal);
  const std::int64_t places[] = {0, 2};
  EXPECT_EQ(code(2, 1, places), ExitCode::internal);
}

}  // namespace
}  // namespace mosaic::kernels

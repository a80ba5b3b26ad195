#include "eval/horizontal_derivatives.hpp"

#include <cmath>

#include "base/error.hpp"
#include "eval/earth.hpp"

namespace mosaic::eval {
namespace {

constexpr double smallest_cosine = 1e-6;  // below it a row is a pole

/// Second-order derivative from values at -back, 0 and +ahead.
double centred(double behind, double here, double in_front, double back, double ahead) {
  if (back == ahead) {
    return (in_front - behind) / (2.0 * back);
  }
  return (back * back * in_front + (ahead * ahead - back * back) * here - ahead * ahead * behind) /
         (back * ahead * (back + ahead));
}

bool is_pole(const LatLonGrid& grid, std::size_t row) {
  return cos_degrees(grid.latitude[row]) <= smallest_cosine;
}

/// d/dlongitude [per degree] at a point, with the last longitude before the first.
double periodic_derivative(const double* values, const std::vector<double>& longitude, std::size_t i) {
  const std::size_t n = longitude.size();
  const std::size_t west = (i + n - 1) % n;
  const std::size_t east = (i + 1) % n;
  const double back = longitude[i] - longitude[west] + (i == 0 ? 360.0 : 0.0);
  const double ahead = longitude[east] - longitude[i] + (east == 0 ? 360.0 : 0.0);
  return centred(values[west], values[i], values[east], back, ahead);
}

std::vector<double> times_cosine(const std::vector<double>& field, const LatLonGrid& grid) {
  std::vector<double> product(field.size());
  const std::size_t columns = grid.longitude.size();
  for (std::size_t j = 0; j < grid.latitude.size(); ++j) {
    const double cosine = is_pole(grid, j) ? 0.0 : cos_degrees(grid.latitude[j]);
    for (std::size_t i = 0; i < columns; ++i) {
      // A NaN stays one.
      product[j * columns + i] = field[j * columns + i] * cosine;
    }
  }
  return product;
}

/// (d east / dlon + sign d (north cos) / dlat) / (R cos): divergence for (u, v, +1), vorticity for (v, u,
/// -1). At a pole sign times the flow of `north` through the next row into the cap's outside, over its area.
std::vector<double> on_the_sphere(const std::vector<double>& east, const std::vector<double>& north,
                                  double sign, const LatLonGrid& grid) {
  const std::size_t rows = grid.latitude.size();
  const std::size_t columns = grid.longitude.size();
  const std::vector<double> north_cos = times_cosine(north, grid);
  const std::vector<double> d_east = eastward_derivative(east, grid, Definition::corrected);
  std::vector<double> result = northward_derivative(north_cos, grid);
  for (std::size_t j = 0; j < rows; ++j) {
    if (!is_pole(grid, j)) {
      for (std::size_t i = 0; i < columns; ++i) {
        double& value = result[j * columns + i];
        value = d_east[j * columns + i] + sign * value / cos_degrees(grid.latitude[j]);
      }
      continue;
    }
    const std::size_t ring = j == 0 ? 1 : j - 1;
    double mean = 0.0;
    for (std::size_t i = 0; i < columns; ++i) {
      mean += north_cos[ring * columns + i] / static_cast<double>(columns);
    }
    const double area = earth_radius * (1.0 - std::abs(sin_degrees(grid.latitude[ring])));
    for (std::size_t i = 0; i < columns; ++i) {
      result[j * columns + i] = sign * (j == 0 ? mean : -mean) / area;
    }
  }
  return result;
}

std::vector<double> sum(std::vector<double> a, const std::vector<double>& b, double factor) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    a[i] += factor * b[i];
  }
  return a;
}

}  // namespace

double derivative_at(const std::vector<double>& values, const std::vector<double>& coordinate,
                     std::size_t k) {
  const std::size_t last = coordinate.size() - 1;
  if (k == 0 || k == last) {
    const std::size_t a = k == 0 ? 0 : last - 1;
    return (values[a + 1] - values[a]) / (coordinate[a + 1] - coordinate[a]);
  }
  return centred(values[k - 1], values[k], values[k + 1], coordinate[k] - coordinate[k - 1],
                 coordinate[k + 1] - coordinate[k]);
}

std::vector<double> eastward_derivative(const std::vector<double>& field, const LatLonGrid& grid,
                                        Definition definition) {
  const std::size_t columns = grid.longitude.size();
  require(columns > 1, "a derivative along {} longitude", columns);
  std::vector<double> result(field.size(), 0.0);
  for (std::size_t j = 0; j < grid.latitude.size(); ++j) {
    if (is_pole(grid, j)) {
      continue;
    }
    const std::vector<double> row(field.begin() + static_cast<std::ptrdiff_t>(j * columns),
                                  field.begin() + static_cast<std::ptrdiff_t>((j + 1) * columns));
    const double metres = earth_radius * to_radians(1.0) * cos_degrees(grid.latitude[j]);  // per degree
    for (std::size_t i = 0; i < columns; ++i) {
      result[j * columns + i] =
          (definition == Definition::corrected ? periodic_derivative(row.data(), grid.longitude, i)
                                               : derivative_at(row, grid.longitude, i)) /
          metres;
    }
  }
  return result;
}

std::vector<double> northward_derivative(const std::vector<double>& field, const LatLonGrid& grid) {
  const std::size_t rows = grid.latitude.size();
  const std::size_t columns = grid.longitude.size();
  require(rows > 1, "a derivative along {} latitude", rows);
  std::vector<double> result(field.size());
  std::vector<double> meridian(rows);
  for (std::size_t i = 0; i < columns; ++i) {
    for (std::size_t j = 0; j < rows; ++j) {
      meridian[j] = field[j * columns + i];
    }
    for (std::size_t j = 0; j < rows; ++j) {
      result[j * columns + i] = derivative_at(meridian, grid.latitude, j) / (earth_radius * to_radians(1.0));
    }
  }
  return result;
}

std::vector<double> vorticity(const std::vector<double>& u, const std::vector<double>& v,
                              const LatLonGrid& grid, Definition definition) {
  return definition == Definition::corrected
             ? on_the_sphere(v, u, -1.0, grid)
             : sum(eastward_derivative(v, grid, definition), northward_derivative(u, grid), -1.0);
}

std::vector<double> divergence(const std::vector<double>& u, const std::vector<double>& v,
                               const LatLonGrid& grid, Definition definition) {
  return definition == Definition::corrected
             ? on_the_sphere(u, v, 1.0, grid)
             : sum(eastward_derivative(u, grid, definition), northward_derivative(v, grid), 1.0);
}

}  // namespace mosaic::eval

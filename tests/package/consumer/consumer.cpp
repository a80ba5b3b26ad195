#include <base/time.hpp>
#include <cstdio>

int main() {
  const mosaic::Time time = mosaic::parse_time("2020-12-31T12") + mosaic::Duration::hours(6);
  std::printf("%s is day %d\n", mosaic::to_string(time).c_str(), mosaic::calendar(time).day_of_year);
}

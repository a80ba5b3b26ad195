// Members that stay on the device against the same model with histories on the host.

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "device/device_arrays.hpp"
#include "kernels/device/device.hpp"
#include "model/small_model.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

constexpr int batch = 2, members = 4;

/// On the emulated device all work of streams is as late as waits permit, so that a missing one shows.
class ResidentMembersTest : public kernels::DeviceTest {
 protected:
  void SetUp() override {
    kernels::DeviceTest::SetUp();
#ifdef MOSAIC_EMULATED_DEVICE
    kernels::emulation::settings().streams = kernels::emulation::Asynchrony::late;
#endif
    options_ = small_model(test::scratch_dir("resident_members"), batch);
    options_.device.kind = DeviceKind::cuda;
    options_.device.resident_members = members;
    options_.precision = Precision::float16;
  }

  std::unique_ptr<ForecastModel> model(int chunk) const {
    MosaicModelOptions options = options_;
    options.device.chunk = chunk;
    return make_mosaic_model(options);
  }

  std::size_t points() const { return options_.grid.points(); }
  std::size_t state() const { return small_model_channels * points(); }
  std::vector<float> history() const {
    return formula_values("resident/history",
                          static_cast<std::size_t>(options_.description.network.history) * state());
  }

  MosaicModelOptions options_;
};

const Time initial_time = parse_time("2020-02-28T12");

/// Of a step, for all members; those of a member depend on nothing else.
std::vector<float> noise(int step, std::size_t width) {
  std::vector<float> all;
  for (int member = 0; member < members; ++member) {
    const auto own = formula_values(fmt::format("resident/noise {} {}", member, step), width);
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

std::vector<float> noise(int step, const ForecastModel& model) {
  return noise(step, static_cast<std::size_t>(model.info().noise_width));
}

std::vector<std::size_t> all_channels() {
  std::vector<std::size_t> channels(small_model_channels);
  std::iota(channels.begin(), channels.end(), std::size_t(0));
  return channels;
}

std::vector<float> fetched(ResidentEnsemble& ensemble) {
  const auto values = ensemble.fetched();
  return {values.begin(), values.end()};
}

std::vector<float> newest(ResidentEnsemble& ensemble) {
  ensemble.fetch(0, members, all_channels());
  return fetched(ensemble);
}

/// The newest states [M, C, lat, lon] after each step, by ForecastModel::advance of one batch after the
/// other.
std::vector<std::vector<float>> states_of_host(ForecastModel& model, const std::vector<float>& history,
                                               int steps) {
  const std::size_t state = history.size() / static_cast<std::size_t>(model.info().history);
  std::vector<std::vector<float>> states(static_cast<std::size_t>(steps));
  for (int first = 0; first < members; first += batch) {
    std::vector<float> histories(history);
    histories.insert(histories.end(), history.begin(), history.end());
    for (int step = 0; step < steps; ++step) {
      const auto draws = noise(step, model);
      const auto width = static_cast<std::size_t>(model.info().noise_width);
      model.advance({initial_time, step, histories,
                     std::span(draws).subspan(static_cast<std::size_t>(first) * width, batch * width)});
      for (std::size_t end = history.size(); end <= histories.size(); end += history.size()) {
        auto& out = states[static_cast<std::size_t>(step)];
        out.insert(out.end(), histories.begin() + static_cast<std::ptrdiff_t>(end - state),
                   histories.begin() + static_cast<std::ptrdiff_t>(end));
      }
    }
  }
  return states;
}

/// The newest states after one and two steps: the copy of the former is waited for when the latter is done.
std::vector<std::vector<float>> two_steps(ForecastModel& model, ResidentEnsemble& ensemble,
                                          const std::vector<float>& history) {
  ensemble.start(initial_time, history);
  ensemble.advance(noise(0, model));
  ensemble.fetch(0, members, all_channels());
  ensemble.advance(noise(1, model));
  EXPECT_EQ(ensemble.out_of_range(1e3), std::vector<bool>(members));
  auto one = fetched(ensemble);
  return {std::move(one), newest(ensemble)};
}

TEST_F(ResidentMembersTest, BitsAreThoseOfAdvanceInEveryChunk) {
  const auto device = model(batch);
  const auto expected = states_of_host(*device, history(), 2);
  EXPECT_NE(expected[0], expected[1]);
  const auto of_first = expected[1].begin(), of_last = expected[1].end();
  EXPECT_NE(std::vector<float>(of_first, of_first + static_cast<std::ptrdiff_t>(state())),
            std::vector<float>(of_last - static_cast<std::ptrdiff_t>(state()), of_last));
  const auto ensemble = device->make_resident(members);
  EXPECT_EQ(two_steps(*device, *ensemble, history()), expected);
  ensemble->start(initial_time, history());
  ensemble->advance(noise(0, *device));
  EXPECT_EQ(newest(*ensemble), expected[0]) << "another start";
  const auto one_by_one = model(1);
  EXPECT_EQ(two_steps(*one_by_one, *one_by_one->make_resident(members), history()), expected);
}

/// Also: what lies on the device is what comes back, and the host's chunk does not disturb the ensemble.
TEST_F(ResidentMembersTest, ChosenFieldsAreFetched) {
  const auto device = model(batch);
  const auto ensemble = device->make_resident(members);
  ensemble->start(initial_time, history());
  ensemble->advance(noise(0, *device));
  EXPECT_EQ(states_of_host(*device, history(), 1)[0], newest(*ensemble));
  const auto all = newest(*ensemble);
  for (const std::vector<std::size_t>& channels :
       std::vector<std::vector<std::size_t>>{{1}, {0, 1, 3}, {3, 1, 2}, {}}) {
    std::vector<float> expected;
    for (const std::size_t member : {1, 2}) {
      for (const std::size_t channel : channels) {
        const auto field = all.begin() + static_cast<std::ptrdiff_t>(member * state() + channel * points());
        expected.insert(expected.end(), field, field + static_cast<std::ptrdiff_t>(points()));
      }
    }
    ensemble->fetch(1, 2, channels);
    EXPECT_EQ(fetched(*ensemble), expected);
  }
  const DeviceStates states = ensemble->newest();
  std::vector<float> last(state());
  kernels::copy_to_host(last.data(), states.first + 3 * states.member_stride, state() * sizeof(float),
                        *states.stream);
  states.stream->wait();
  EXPECT_EQ(last, std::vector<float>(all.end() - static_cast<std::ptrdiff_t>(state()), all.end()));
#ifdef MOSAIC_EMULATED_DEVICE
  // Must fail: a copy beside the next step that nothing was gathered for.
  const kernels::Stream beside;
  kernels::order_streams(*states.stream, beside);
  kernels::copy_to_host(last.data(), states.first, state() * sizeof(float), beside);
  ensemble->advance(noise(1, *device));
  const auto next = newest(*ensemble);
  beside.wait();
  EXPECT_NE(last, std::vector<float>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(state())));
  EXPECT_EQ(last, std::vector<float>(next.begin(), next.begin() + static_cast<std::ptrdiff_t>(state())));
#endif
}

TEST_F(ResidentMembersTest, TheMemberOutOfRangeIsNamed) {
  const auto device = model(batch);
  const auto ensemble = device->make_resident(members);
  const auto width = static_cast<std::size_t>(device->info().noise_width);
  ensemble->start(initial_time, history());
  auto draws = noise(0, width);
  draws[2 * width + 3] = NAN;
  ensemble->advance(draws);
  EXPECT_EQ(ensemble->out_of_range(1e3), (std::vector<bool>{false, false, true, false}));

  ensemble->start(initial_time, history());
  ensemble->advance(noise(0, width));
  EXPECT_EQ(ensemble->out_of_range(1e3), std::vector<bool>(members));
  const auto all = newest(*ensemble);
  std::vector<double> largest(members);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::size_t channel = i / points() % small_model_channels;
    double& of_member = largest[i / state()];
    of_member = std::max(of_member, std::abs(all[i] - device->info().channel_mean[channel]) /
                                        device->info().channel_std[channel]);
  }
  for (const double reach : largest) {
    std::vector<bool> expected, ours = ensemble->out_of_range(reach * (1 + 1e-12));
    for (const double anomaly : largest) {
      expected.push_back(anomaly > reach * (1 + 1e-12));
    }
    EXPECT_EQ(ours, expected) << reach;
  }
  EXPECT_EQ(ensemble->out_of_range(0), std::vector<bool>(members, true));
}

TEST_F(ResidentMembersTest, RefusesWhatItCannotDo) {
  std::string message;
  const auto device = model(batch);
  EXPECT_NE(device->info().device->plan.find("2 members at once, 4 stay there"), std::string::npos);
  const auto code = [&](const std::function<void()>& action) { return test::code_of(action, &message); };
  EXPECT_EQ(code([&] { device->make_resident(3); }), ExitCode::internal);
  EXPECT_NE(message.find("3 resident members, the batch is 2"), std::string::npos) << message;
  EXPECT_EQ(code([&] { device->make_resident(20'000'000); }), ExitCode::bad_configuration);
  EXPECT_NE(message.find("20000000 members that stay there need 374400 MB"), std::string::npos) << message;
  options_.device.resident_members = 20'000'000;
  EXPECT_EQ(code([&] { model(0); }), ExitCode::bad_configuration);
  EXPECT_NE(message.find("374400 MB of them for the 20000000 members that stay"), std::string::npos)
      << message;

  const auto ensemble = device->make_resident(members);
  const auto draws = noise(0, *device);
  EXPECT_EQ(code([&] { ensemble->advance(draws); }), ExitCode::internal);  // before the start
  EXPECT_EQ(code([&] { ensemble->start(initial_time, draws); }), ExitCode::internal);
  ensemble->start(initial_time, history());
  EXPECT_EQ(code([&] { ensemble->advance(std::span(draws).first(32)); }), ExitCode::internal);
  EXPECT_NE(message.find("32 noise draws, expected 128"), std::string::npos) << message;
  ensemble->advance(draws);
  const std::vector<std::size_t> channels = {4, 5};
  EXPECT_EQ(code([&] { ensemble->fetched(); }), ExitCode::internal);
  EXPECT_EQ(code([&] { ensemble->fetch(0, 1, channels); }), ExitCode::internal);
  EXPECT_EQ(code([&] { ensemble->fetch(3, 2, all_channels()); }), ExitCode::internal);
  ensemble->fetch(3, 1, all_channels());
  EXPECT_EQ(code([&] { ensemble->fetch(3, 1, all_channels()); }), ExitCode::internal);
  EXPECT_EQ(ensemble->fetched().size(), state());

  options_.device.kind = DeviceKind::cpu;
  options_.precision = Precision::float32;
  EXPECT_EQ(model(0)->make_resident(members), nullptr);
}

}  // namespace
}  // namespace mosaic

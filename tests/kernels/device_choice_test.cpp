// Which GPU a rank takes, and what is said where it cannot.
#include "kernels/device/device_choice.hpp"

#include <gtest/gtest.h>

#include "support/errors.hpp"

namespace mosaic::kernels {
namespace {

std::vector<DeviceInfo> hosts_devices(int count) {
  std::vector<DeviceInfo> devices;
  for (int i = 0; i < count; ++i) {
    DeviceInfo& device = devices.emplace_back();
    device.number = i;
    device.name = "some GPU";
    device.major = 9;
  }
  return devices;
}

std::string refusal(const std::vector<DeviceInfo>& visible, const std::string& why, int number) {
  std::string message;
  EXPECT_EQ(test::code_of([&] { require_usable(visible, why, number); }, &message),
            ExitCode::bad_configuration);
  return message;
}

void expect_part(const std::string& message, const std::string& part) {
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(DeviceChoice, RanksTakeVisibleDevicesInTurn) {
  const auto four = hosts_devices(4), one = hosts_devices(1);
  for (int rank = 0; rank < 8; ++rank) {
    EXPECT_EQ(device_of_rank(four, "", rank).number, rank % 4);
    EXPECT_EQ(device_of_rank(one, "", rank).number, 0);  // one visible device per task, or shared
  }
}

TEST(DeviceChoice, NoDeviceSaysWhyAndWhatToDo) {
  std::string message;
  EXPECT_EQ(test::code_of([&] { device_of_rank({}, "no NVIDIA driver", 0); }, &message),
            ExitCode::bad_configuration);
  expect_part(message, "no NVIDIA driver");
  expect_part(message, "CUDA_VISIBLE_DEVICES");
  expect_part(message, "model.device: cpu");
}

TEST(DeviceChoice, RefusesWhatIsNotThere) {
  expect_part(refusal(hosts_devices(2), "", 2), "GPU 2 is not there: 2 visible;");
  expect_part(refusal({}, "no NVIDIA driver", 0), "0 visible (no NVIDIA driver)");
  EXPECT_EQ(test::code_of([] { require_usable(hosts_devices(2), "", -1); }), ExitCode::bad_configuration);
}

TEST(DeviceChoice, RefusesArchitecturesWithoutCode) {
  for (const auto& [major, minor] : {std::pair{8, 0}, {8, 6}, {8, 9}, {9, 0}}) {
    std::vector<DeviceInfo> devices = hosts_devices(1);
    devices[0].major = major;
    devices[0].minor = minor;
    EXPECT_NO_THROW(require_usable(devices, "", 0)) << major << '.' << minor;
  }
  for (const auto& [major, minor] : {std::pair{7, 5}, {9, 1}, {10, 0}, {12, 0}}) {
    std::vector<DeviceInfo> devices = hosts_devices(1);
    devices[0].major = major;
    devices[0].minor = minor;
    const std::string message = refusal(devices, "", 0);
    expect_part(message, "some GPU");
    expect_part(message, std::to_string(major) + '.' + std::to_string(minor));
    expect_part(message, "sm_90a");
  }
}

}  // namespace
}  // namespace mosaic::kernels

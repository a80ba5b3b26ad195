// device.hpp, as far as the emulated device has it, too.

#include "device/device_arrays.hpp"
#include "support/errors.hpp"

namespace mosaic::kernels {
namespace {

using Runtime = DeviceTest;

TEST_F(Runtime, GraphsRecordAndRepeat) {
  const auto from = upload({1, 2, 3, 4}), to = poisoned(4);
  const Stream stream;
  const Graph graph(stream, [&] { copy_on_device(to.data(), from.data(), 16, stream); });
  stream.wait();
  EXPECT_TRUE(std::isnan(download(to)[0]));
  for (const std::vector<float>& values : {std::vector<float>{5, 6, 7, 8}, {9, 10, 11, 12}}) {
    copy_to_device(from.data(), values.data(), 16, stream);
    graph.launch(stream);
    stream.wait();
    EXPECT_EQ(download(to), values);
  }
}

TEST_F(Runtime, ShortNumbersGoThereAndBack) {
  for (const ElementType type : {ElementType::float32, ElementType::float16, ElementType::bfloat16}) {
    const auto values = normal_numbers(1000, 1, 1, type);
    EXPECT_EQ(download(upload(values, type)), values);
  }
}

TEST_F(Runtime, ADeviceThatIsNotThere) {
  std::string message;
  EXPECT_EQ(test::code_of([] { use_device(1000); }, &message), ExitCode::bad_configuration);
  EXPECT_NE(message.find("GPU 1000"), std::string::npos) << message;
}

}  // namespace
}  // namespace mosaic::kernels

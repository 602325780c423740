#include "fettle/device/peers/onnxruntime/message.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fettle {
namespace {

TEST(MessageTest, ReadsWhatItWrites) {
  const Tensor tensor = Tensor::Of<float>(DType::kF32, {2, 1}, {{1.5F, -2.0F}});
  const std::string bytes =
      MessageWriter().U32(7).I64(-8).Text("x\n").Values("name", tensor).bytes();
  MessageReader reader(bytes);
  EXPECT_EQ(reader.U32(), 7U);
  EXPECT_EQ(reader.I64(), -8);
  EXPECT_EQ(reader.Text(), "x\n");
  EXPECT_EQ(reader.Values(), tensor);
  EXPECT_TRUE(reader.at_end());
  EXPECT_FALSE(reader.U32());
}

TEST(MessageTest, ReadsLists) {
  const std::string texts = MessageWriter().U32(2).Text("a").Text("").bytes();
  EXPECT_EQ(MessageReader(texts).Texts(), (std::vector<std::string>{"a", ""}));
  const std::string doubles = MessageWriter().U32(1).I64(0x3ff0000000000000).bytes();
  EXPECT_EQ(MessageReader(doubles).Doubles(), std::vector<double>{1.0});
}

TEST(MessageTest, RefusesEveryTruncation) {
  const Tensor tensor = Tensor::Of<int8_t>(DType::kI8, {3}, {{1, 2, 3}});
  const std::string bytes = MessageWriter().Values("name", tensor).bytes();
  for (size_t length = 0; length < bytes.size(); ++length) {
    const std::vector<char> part(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length));
    EXPECT_FALSE(MessageReader({part.data(), part.size()}).Values()) << length;
  }
  const std::string list = MessageWriter().U32(2).Text("a").bytes();
  EXPECT_FALSE(MessageReader(list).Texts());
  EXPECT_FALSE(MessageReader(list).Doubles());
}

TEST(MessageTest, RefusesTensorsThatMakeNoSense) {
  const auto values = [](std::string_view dtype, const std::vector<int64_t>& extents,
                         int64_t length, std::string_view data) {
    MessageWriter writer;
    writer.Text("x").Text(dtype).U32(static_cast<uint32_t>(extents.size()));
    for (const int64_t extent : extents) writer.I64(extent);
    const std::string bytes = writer.I64(length).bytes() + std::string(data);
    return MessageReader(bytes).Values().has_value();
  };
  EXPECT_TRUE(values("f32", {1}, 4, "1234"));
  EXPECT_TRUE(values("f32", {}, 4, "1234"));
  EXPECT_TRUE(values("f32", {0, 5}, 0, ""));
  EXPECT_FALSE(values("f33", {1}, 4, "1234"));
  EXPECT_FALSE(values("f32", {2}, 4, "1234"));
  EXPECT_FALSE(values("f32", {1}, 3, "1234"));
  EXPECT_FALSE(values("f32", {-1}, 4, "1234"));
  EXPECT_FALSE(values("f32", {1}, -4, "1234"));
  EXPECT_FALSE(values("f32", {int64_t{1} << 62, 4}, 0, ""));
  EXPECT_FALSE(values("f32", {int64_t{1} << 62}, 0, ""));
}

}  // namespace
}  // namespace fettle

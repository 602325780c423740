#include "fettle/primitives/conv_shape.h"

#include <gtest/gtest.h>

namespace fettle {
namespace {

LayerSpec Parsed(const std::string& text) {
  const std::optional<LayerSpec> spec = ParseLayerSpec(text);
  EXPECT_TRUE(spec) << text;
  return spec.value_or(LayerSpec{});
}

std::string Window2d(const std::string& kernel, const std::string& strides,
                     const std::string& begin, const std::string& end, int groups) {
  return "conv(kernel=" + kernel + ",strides=" + strides + ",dilations=1x1,pads_begin=" + begin +
         ",pads_end=" + end + ",groups=" + std::to_string(groups) + ")";
}

TEST(ConvShapeTest, TakesTwoAxes) {
  const LayerSpec spec = Parsed(Window2d("3x2", "2x1", "1x0", "0x1", 2) +
                                " in=f32[2x4x7x5] weights=f32[6x2x3x2],f32[6] out=f32[2x6x3x5]");
  ASSERT_TRUE(ConvShapeSupport(spec)) << ConvShapeSupport(spec).reason;
  const ConvShape shape = ConvShapeOf(spec);
  EXPECT_EQ(shape.batch, 2);
  EXPECT_EQ(shape.group_inputs(), 2);
  EXPECT_EQ(shape.group_outputs(), 3);
  EXPECT_EQ(shape.input_pixels(), 35);
  EXPECT_EQ(shape.output_pixels(), 15);
  EXPECT_EQ(shape.taps(), 6);
  EXPECT_EQ(shape.plane.y.stride, 2);
  EXPECT_EQ(shape.plane.x.pad_end, 1);
  EXPECT_FALSE(shape.is_dense());
  EXPECT_FALSE(shape.is_pointwise());
}

TEST(ConvShapeTest, TakesOneAxisAsTheSecond) {
  const LayerSpec spec = Parsed(
      "conv(kernel=1,strides=1,dilations=1,pads_begin=0,pads_end=0,groups=1) in=f32[1x4x7] "
      "weights=f32[6x4x1] out=f32[1x6x7]");
  ASSERT_TRUE(ConvShapeSupport(spec)) << ConvShapeSupport(spec).reason;
  const ConvShape shape = ConvShapeOf(spec);
  EXPECT_EQ(shape.plane.y.input, 1);
  EXPECT_EQ(shape.plane.x.input, 7);
  EXPECT_TRUE(shape.is_pointwise());
}

TEST(ConvShapeTest, RefusesWhatDoesNotFit) {
  const std::string sound = Window2d("3x3", "1x1", "1x1", "1x1", 1);
  const std::string faults[] = {
      sound + " in=f32[1x4x5x5] weights=f32[6x4x3x3] out=f32[1x6x5x4]",
      sound + " in=f32[1x4x5x5] weights=f32[6x4x3x3] out=f32[1x6x5]",
      sound + " in=f32[1x4x5x5] weights=f32[6x5x3x3] out=f32[1x6x5x5]",
      sound + " in=f32[1x4x5x5] weights=f32[6x4x3] out=f32[1x6x5x5]",
      sound + " in=f32[1x4x5x5] weights=f32[6x4x3x3],f32[5] out=f32[1x6x5x5]",
      sound + " in=f32[1x4x5x5] weights=f32[6x4x3x3],f32[6],f32[6] out=f32[1x6x5x5]",
      sound + " in=f32[1x4x5x5] out=f32[1x6x5x5]",
      sound + " weights=f32[6x4x3x3] out=f32[1x6x5x5]",
      sound + " weights=f32[6x4x3x3] out=f32[1x6x5x5] residual=1",
      sound + " in=f32[1x4x5x5] weights=f32[6x4x3x3] out=f32[1x6x5x5] residual=1",
      sound + " in=f32[1x4x5x5],bf16[1x6x5x5] weights=f32[6x4x3x3] out=f32[1x6x5x5] residual=1",
      sound + " in=f32[1x4x5] weights=f32[6x4x3] out=f32[1x6x5]",
      sound + " in=f32[4x5] weights=f32[4x3] out=f32[4x5]",
      sound + " in=f32[0x4x5x5] weights=f32[6x4x3x3] out=f32[0x6x5x5]",
      Window2d("3x3", "1x1", "1x1", "1x1", 4) +
          " in=f32[1x4x5x5] weights=f32[6x1x3x3] out=f32[1x6x5x5]",
      Window2d("3x3", "1x1", "1x1", "1x1", 0) +
          " in=f32[1x4x5x5] weights=f32[6x4x3x3] out=f32[1x6x5x5]",
      Window2d("3x3", "0x1", "1x1", "1x1", 1) +
          " in=f32[1x4x5x5] weights=f32[6x4x3x3] out=f32[1x6x5x5]",
      Window2d("3x3", "1x1", "-1x1", "1x1", 1) +
          " in=f32[1x4x5x5] weights=f32[6x4x3x3] out=f32[1x6x3x5]",
      Window2d("3x3", "1x1", "1x1", "9000000000000000000x1", 1) +
          " in=f32[1x4x5x5] weights=f32[6x4x3x3] out=f32[1x6x5x5]",
      Window2d("7x7", "1x1", "0x0", "0x0", 1) +
          " in=f32[1x4x5x5] weights=f32[6x4x7x7] out=f32[1x6x0x0]",
      "identity() in=f32[1x4x5x5] out=f32[1x4x5x5]",
  };
  for (const std::string& text : faults) {
    const Support support = ConvShapeSupport(Parsed(text));
    EXPECT_FALSE(support) << text;
    EXPECT_FALSE(support.reason.empty()) << text;
  }
}

}  // namespace
}  // namespace fettle

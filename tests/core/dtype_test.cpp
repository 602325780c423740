#include "fettle/core/dtype.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace fettle {
namespace {

TEST(DTypeTest, NamesParseBack) {
  for (DType dtype : {DType::kF32, DType::kF64, DType::kF16, DType::kBF16, DType::kI8, DType::kU8,
                      DType::kI16, DType::kI32, DType::kI64, DType::kBool}) {
    EXPECT_EQ(ParseDType(NameOf(dtype)), dtype);
    EXPECT_GT(SizeOf(dtype), 0u);
  }
  EXPECT_FALSE(ParseDType("float32"));
  EXPECT_FALSE(ParseDType(""));
}

TEST(BF16Test, RoundsToNearestEven) {
  EXPECT_EQ(ToBF16(1.0f), 0x3f80);
  EXPECT_EQ(ToBF16(std::bit_cast<float>(0x3f808000u)), 0x3f80);  // half way: to even
  EXPECT_EQ(ToBF16(std::bit_cast<float>(0x3f818000u)), 0x3f82);
  EXPECT_EQ(ToBF16(std::bit_cast<float>(0x3f808001u)), 0x3f81);
  EXPECT_EQ(ToBF16(std::numeric_limits<float>::max()), 0x7f80);  // overflows to infinity
}

TEST(BF16Test, EveryPatternSurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = FromBF16(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(FromBF16(ToBF16(value)))) << bits;
    } else {
      EXPECT_EQ(ToBF16(value), bits);
    }
  }
  // A NaN whose mantissa lies in the lost half must not become infinity.
  EXPECT_TRUE(std::isnan(FromBF16(ToBF16(std::bit_cast<float>(0x7f800001u)))));
}

}  // namespace
}  // namespace fettle

#include "fettle/core/layout.h"

#include <gtest/gtest.h>

#include <vector>

namespace fettle {
namespace {

constexpr Layout kLayouts[] = {Layout::kPlain, Layout::kChannelsLast, Layout::kBlocked8,
                               Layout::kBlocked16};

TEST(LayoutTest, NamesParseBack) {
  for (Layout layout : kLayouts) EXPECT_EQ(ParseLayout(NameOf(layout)), layout);
  EXPECT_FALSE(ParseLayout("nchw"));
}

TEST(LayoutTest, OnlyImagesHaveOtherThanPlain) {
  EXPECT_TRUE(CanHave({10}, Layout::kPlain));
  EXPECT_FALSE(CanHave({1, 10}, Layout::kBlocked8));
  EXPECT_TRUE(CanHave({1, 10, 4}, Layout::kBlocked8));
}

TEST(LayoutTest, BlocksPadTheChannels) {
  const TensorType type{DType::kBF16, {2, 17, 3, 3}};
  EXPECT_EQ(PhysicalBytes(type, Layout::kPlain), 2 * 17 * 9 * 2);
  EXPECT_EQ(PhysicalBytes(type, Layout::kChannelsLast), 2 * 17 * 9 * 2);
  EXPECT_EQ(PhysicalBytes(type, Layout::kBlocked8), 2 * 24 * 9 * 2);
  EXPECT_EQ(PhysicalBytes(type, Layout::kBlocked16), 2 * 32 * 9 * 2);
}

TEST(LayoutTest, EachElementHasAPlaceOfItsOwn) {
  const Shape shape = {2, 11, 3, 4};
  for (Layout layout : kLayouts) {
    std::vector<bool> taken(PhysicalBytes({DType::kU8, shape}, layout), false);
    for (int64_t i = 0; i < ElementCount(shape); ++i) {
      const Shape indices = {i / 132, i / 12 % 11, i / 4 % 3, i % 4};
      const int64_t offset = PhysicalOffset(shape, layout, indices);
      ASSERT_LT(offset, static_cast<int64_t>(taken.size()));
      EXPECT_FALSE(taken[offset]);
      taken[offset] = true;
    }
  }
}

TEST(LayoutTest, PlacesAreTheOnesByHand) {
  const Shape shape = {2, 11, 3, 4};
  const Shape indices = {1, 9, 2, 3};
  EXPECT_EQ(PhysicalOffset(shape, Layout::kPlain, indices), ((1 * 11 + 9) * 3 + 2) * 4 + 3);
  EXPECT_EQ(PhysicalOffset(shape, Layout::kChannelsLast, indices), ((1 * 3 + 2) * 4 + 3) * 11 + 9);
  EXPECT_EQ(PhysicalOffset(shape, Layout::kBlocked8, indices),
            (((1 * 2 + 1) * 3 + 2) * 4 + 3) * 8 + 1);
  EXPECT_EQ(PhysicalOffset(shape, Layout::kBlocked16, indices),
            (((1 * 1 + 0) * 3 + 2) * 4 + 3) * 16 + 9);
}

}  // namespace
}  // namespace fettle

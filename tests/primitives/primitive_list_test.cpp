#include "fettle/primitives/primitive_list.h"

#include <gtest/gtest.h>

#include <set>

namespace fettle {
namespace {

TEST(PrimitiveListTest, BeginsWithTheReference) {
  EXPECT_EQ(PrimitiveList::All().reference().Name(), "reference");
}

TEST(PrimitiveListTest, NamesAreUniqueAndHoldNoColon) {
  std::set<std::string_view> names;
  const PrimitiveList list = PrimitiveList::All();
  for (const auto& primitive : list.primitives()) {
    EXPECT_TRUE(names.insert(primitive->Name()).second) << primitive->Name();
    EXPECT_EQ(primitive->Name().find(':'), std::string_view::npos) << primitive->Name();
  }
}

TEST(PrimitiveListTest, FindsByTheNameOfAnImplementation) {
  const PrimitiveList list = PrimitiveList::All();
  EXPECT_EQ(list.Find("reference"), &list.reference());
  EXPECT_EQ(list.Find("reference:anything:else"), &list.reference());
  EXPECT_EQ(list.Find("referenc"), nullptr);
  EXPECT_EQ(list.Find(""), nullptr);
}

}  // namespace
}  // namespace fettle

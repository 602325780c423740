#include "fettle/search/state_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fettle/core/random.h"

namespace fettle {
namespace {

TEST(StateTextTest, ReadsBackWhatWasWritten) {
  StateWriter writer;
  writer.Add("name", "value with spaces");
  writer.Add("empty", "");
  writer.Add("number", "18446744073709551615");
  EXPECT_EQ(writer.text(), "name value with spaces\nempty \nnumber 18446744073709551615\n");
  StateReader reader(writer.text());
  EXPECT_EQ(reader.Read("other"), std::nullopt);
  EXPECT_EQ(reader.Read("nam"), std::nullopt);
  EXPECT_EQ(reader.Read("name"), "value with spaces");
  EXPECT_EQ(reader.Read("empty"), "");
  EXPECT_FALSE(reader.IsAtEnd());
  EXPECT_EQ(reader.ReadNumber("number"), 18446744073709551615u);
  EXPECT_TRUE(reader.IsAtEnd());
  EXPECT_EQ(reader.Read("name"), std::nullopt);
}

TEST(StateTextTest, AnIncompleteLineIsNoLine) {
  StateReader reader("key value");
  EXPECT_EQ(reader.Read("key"), std::nullopt);
  StateReader bare("key\n");
  EXPECT_EQ(bare.Read("key"), std::nullopt);
}

TEST(StateTextTest, SplitsAtSingleSpaces) {
  EXPECT_EQ(SplitFields("a bc  d"), (std::vector<std::string_view>{"a", "bc", "", "d"}));
  EXPECT_EQ(SplitFields(""), (std::vector<std::string_view>{""}));
}

TEST(StateTextTest, RealsSurviveToTheBit) {
  Random random(1);
  std::vector<double> values = {0.0,   -0.0,   0.1,
                                1e308, 5e-324, std::numeric_limits<double>::infinity()};
  for (int i = 0; i < 1000; ++i) values.push_back(random.Normal() * std::ldexp(1, i - 500));
  for (double value : values) {
    const std::optional<double> back = ParseReal(FormatReal(value));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, value);
    EXPECT_EQ(std::signbit(*back), std::signbit(value));
  }
  for (const char* text : {"", "x", "1.5x", " 1", "1 "}) EXPECT_FALSE(ParseReal(text)) << text;
  for (const char* text : {"", "-1", "1.5", "18446744073709551616"}) {
    EXPECT_FALSE(ParseNumber(text)) << text;
  }
}

}  // namespace
}  // namespace fettle

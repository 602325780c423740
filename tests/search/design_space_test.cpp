#include "fettle/search/design_space.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "fettle/search/unseen_candidates.h"

namespace fettle {
namespace {

DesignSpace SmallSpace(DesignRules rules = {}) {
  return DesignSpace({{10, "width", 3, true}, {20, "kind", 2, false}, {30, "fixed", 1, false}},
                     std::move(rules));
}

TEST(CandidateTest, TextIsCanonicalBothWays) {
  EXPECT_EQ(CandidateText({{0, 12, 3}}), "0,12,3");
  EXPECT_EQ(CandidateText({}), "");
  for (const char* text : {"", "0", "0,12,3"}) {
    ASSERT_TRUE(ParseCandidate(text).has_value()) << text;
    EXPECT_EQ(CandidateText(*ParseCandidate(text)), text);
  }
  for (const char* text : {",", "1,", ",1", "1,,2", "-1", "+1", "01", "1 ", " 1", "a", "1;2",
                           "99999999999999999999", "-0"}) {
    EXPECT_FALSE(ParseCandidate(text).has_value()) << text;
  }
}

TEST(CandidateTest, HashIsFrozenAndTellsCandidatesApart) {
  EXPECT_EQ(CandidateHash({}), 0xcbf29ce484222325u) << "the offset of FNV-1a";
  std::set<uint64_t> hashes;
  for (int a = 0; a < 20; ++a) {
    for (int b = 0; b < 20; ++b) {
      hashes.insert(CandidateHash({{a, b}}));
      hashes.insert(CandidateHash({{a, b, 0}}));
    }
  }
  EXPECT_EQ(hashes.size(), 800u);
}

TEST(DesignSpaceTest, CountsAndEnumeratesAll) {
  const DesignSpace space = SmallSpace();
  EXPECT_EQ(space.NumCandidates(), 6);
  EXPECT_NEAR(space.Log10NumCandidates(), std::log10(6), 1e-15);
  Candidate candidate = space.Original();
  std::vector<std::string> texts = {CandidateText(candidate)};
  while (space.Advance(&candidate)) texts.push_back(CandidateText(candidate));
  EXPECT_EQ(texts,
            (std::vector<std::string>{"0,0,0", "0,1,0", "1,0,0", "1,1,0", "2,0,0", "2,1,0"}));
  EXPECT_EQ(candidate, space.Original());
}

TEST(DesignSpaceTest, HugeAndEmptySpaces) {
  const DesignSpace huge(std::vector<Decision>(400, {0, "", 60, false}));
  EXPECT_TRUE(std::isinf(huge.NumCandidates()));
  EXPECT_NEAR(huge.Log10NumCandidates(), 400 * std::log10(60), 1e-9);
  const DesignSpace empty({});
  EXPECT_EQ(empty.NumCandidates(), 1);
  Candidate only = empty.Original();
  EXPECT_TRUE(empty.Contains(only));
  EXPECT_FALSE(empty.Advance(&only));
}

TEST(DesignSpaceTest, ContainsChecksLengthAndRange) {
  const DesignSpace space = SmallSpace();
  EXPECT_TRUE(space.Contains({{2, 1, 0}}));
  for (const Candidate& candidate :
       {Candidate{{2, 1}}, Candidate{{3, 0, 0}}, Candidate{{0, 0, 1}}, Candidate{{-1, 0, 0}}}) {
    EXPECT_FALSE(space.Contains(candidate));
  }
}

TEST(DesignSpaceTest, RepairsByTheRules) {
  const auto is_feasible = [](const Candidate& c) {
    return c.options[0] != 2 || c.options[1] == 0;
  };
  const DesignSpace strict = SmallSpace({is_feasible, nullptr});
  Candidate candidate{{2, 1, 0}};
  EXPECT_FALSE(strict.IsFeasible(candidate));
  EXPECT_FALSE(strict.Repair(&candidate));
  const DesignSpace lenient = SmallSpace({is_feasible, [](Candidate* c) { c->options[1] = 0; }});
  EXPECT_TRUE(lenient.Repair(&candidate));
  EXPECT_EQ(candidate, (Candidate{{2, 0, 0}}));
  Candidate fine{{1, 1, 0}};
  EXPECT_TRUE(lenient.Repair(&fine));
  EXPECT_EQ(fine, (Candidate{{1, 1, 0}}));
}

TEST(DesignSpaceTest, FingerprintTellsSpacesApart) {
  const DesignSpace ordinal({{0, "a", 3, true}}), categorical({{0, "a", 3, false}});
  const DesignSpace larger({{0, "a", 4, true}}), renamed({{7, "b", 3, true}});
  EXPECT_NE(ordinal.Fingerprint(), categorical.Fingerprint());
  EXPECT_NE(ordinal.Fingerprint(), larger.Fingerprint());
  EXPECT_EQ(ordinal.Fingerprint(), renamed.Fingerprint());
}

TEST(UnseenCandidatesTest, TakesEachFeasibleCandidateOnce) {
  const DesignSpace space(
      std::vector<Decision>(3, {0, "", 5, false}),
      {[](const Candidate& c) { return (c.options[0] + c.options[1] + c.options[2]) % 3 == 0; },
       nullptr});
  size_t feasible = 0;
  Candidate candidate = space.Original();
  do {
    feasible += space.IsFeasible(candidate);
  } while (space.Advance(&candidate));
  UnseenCandidates unseen(space);
  Random random(1);
  std::set<Candidate> taken;
  while (const std::optional<Candidate> next = unseen.Take(&random)) {
    EXPECT_TRUE(space.IsFeasible(*next));
    EXPECT_TRUE(taken.insert(*next).second);
  }
  EXPECT_EQ(taken.size(), feasible);
  EXPECT_EQ(unseen.Take(&random), std::nullopt);
}

}  // namespace
}  // namespace fettle

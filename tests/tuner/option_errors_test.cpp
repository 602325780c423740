#include "fettle/tuner/option_errors.h"

#include <gtest/gtest.h>

#include "fettle/core/error.h"
#include "fettle/network/variants/decisions.h"
#include "tests/support/network_builder.h"

namespace fettle {
namespace {

TEST(OptionErrorsTest, AreTheSameOnAnyNumberOfThreads) {
  NetworkBuilder b(1);
  ValueId x = b.Unit("stem", b.Input({1, 3, 8, 8}), 16);
  x = b.Add("sum", Binary{}, {x, b.Convolve("body", x, 16)});
  b.Classify(b.Unit("last", x, 24, {.kernel = 1}));
  std::vector<NetworkDecision> decisions = FindDecisions(b.graph, {.channel_step = 4});
  std::vector<NetworkDecision> again = decisions;
  size_t last = 0;
  FillErrors(
      b.graph, 3,
      [&](size_t done) {
        EXPECT_EQ(done, last + 1);
        last = done;
      },
      &decisions);
  FillErrors(b.graph, 1, {}, &again);
  size_t options = 0, with_error = 0;
  for (size_t d = 0; d < decisions.size(); ++d) {
    for (size_t i = 0; i < decisions[d].options.size(); ++i, ++options) {
      EXPECT_EQ(decisions[d].options[i].error, again[d].options[i].error);
      if (decisions[d].options[i].error) ++with_error;
    }
  }
  EXPECT_EQ(last, options);
  EXPECT_GT(with_error, 5u);
}

TEST(OptionErrorsTest, EndsSoonWhereProgressThrows) {
  NetworkBuilder b(1);
  b.Classify(b.Unit("stem", b.Input({1, 3, 8, 8}), 16));
  std::vector<NetworkDecision> decisions = FindDecisions(b.graph, {.channel_step = 2});
  int calls = 0;
  const auto stop = [&](size_t) {
    ++calls;
    throw Error(ErrorKind::kInterrupted, "stop");
  };
  EXPECT_THROW(FillErrors(b.graph, 1, stop, &decisions), Error);
  EXPECT_EQ(calls, 1);
}

TEST(OptionErrorsTest, WhatFailsIsThrownAgain) {
  NetworkBuilder b(1);
  b.Classify(b.Unit("stem", b.Input({1, 3, 8, 8}), 16));
  std::vector<NetworkDecision> decisions = {
      {"prune", "nowhere", {"nowhere"}, {{"prune(keep=0.5)", 1, 1}}, ""}};
  EXPECT_THROW(FillErrors(b.graph, 2, {}, &decisions), Error);
}

}  // namespace
}  // namespace fettle

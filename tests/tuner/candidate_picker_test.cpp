#include "fettle/tuner/candidate_picker.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/network_builder.h"
#include "tests/support/scratch_folder.h"
#include "tests/tuner/sample_session.h"

namespace fettle {
namespace {

class SilentObserver : public TuneObserver {
 public:
  void Note(const std::string&) override {}
  void Status(const std::string&) override {}
  bool ShouldStop() override { return false; }
};

Graph Network() {
  NetworkBuilder b(3);
  ValueId x = b.Unit("first", b.Input({1, 3, 8, 8}), 24);
  x = b.Unit("second", x, 32);
  b.Classify(b.Unit("third", x, 32), 10);
  return b.graph;
}

// Nothing is measured: all costs are the predictor's of layers never seen.
class CandidatePickerTest : public testing::Test {
 protected:
  // Wider changes lose more.
  void AddSensitivities(Session* session) const {
    for (size_t i = 0; i < space_.decisions().size(); ++i) {
      for (int option = 1; option < space_.space().decisions()[i].num_options; ++option) {
        session->AddSensitivity(CandidateText(SingleChange(space_.space(), i, option)),
                                0.05 * option, 12);
      }
    }
  }

  std::vector<std::string> PicksOf(const Session& session) {
    CandidatePicker picker(session, space_, costs_, 10, &observer_);
    std::vector<std::string> picks;
    for (const PredictedCandidate& pick : picker.Picks(8)) {
      picks.push_back(CandidateText(pick.candidate));
    }
    return picks;
  }

  const ScratchFolder scratch_;
  const TuningSpace space_{Network(), {}};
  const PrimitiveList primitives_ = PrimitiveList::All();
  ImplementationCatalog catalog_{primitives_, HostTarget(1)};
  CostDatabase database_ =
      CostDatabase::Open(scratch_.path() / "costs.db", CostDatabase::Access::kReadWrite);
  CostStore store_{&database_, nullptr, &catalog_, {}, "test"};
  const CandidateCosts costs_{space_, &store_, &catalog_};
  SilentObserver observer_;
};

TEST_F(CandidatePickerTest, WhatWasBeatenIsNotPickedAgainAlsoOnceResumed) {
  const std::filesystem::path folder = scratch_.path() / "s";
  std::string beaten;
  {
    Session session = Session::Create(folder, SampleSettings());
    AddSensitivities(&session);
    const std::vector<std::string> picks = PicksOf(session);
    ASSERT_GE(picks.size(), 3u);
    beaten = picks[1];
    EXPECT_EQ(std::ranges::count(picks, beaten), 1);
    EXPECT_EQ(PicksOf(session), picks);  // a matter of the session alone
    session.AddBeaten(beaten, 500);
    EXPECT_EQ(std::ranges::count(PicksOf(session), beaten), 0);
  }
  const Session resumed = Session::Resume(folder, SampleSettings());
  const std::vector<std::string> picks = PicksOf(resumed);
  EXPECT_FALSE(picks.empty());
  EXPECT_EQ(std::ranges::count(picks, beaten), 0);
}

TEST_F(CandidatePickerTest, WhatWasVerifiedIsNotPickedAgain) {
  Session session = Session::Create(scratch_.path() / "s", SampleSettings());
  AddSensitivities(&session);
  const std::vector<std::string> picks = PicksOf(session);
  ASSERT_GE(picks.size(), 3u);
  VerifiedPoint point = SamplePoint("c0", 1, 0.9);
  point.candidate = picks[2];
  session.AddPoint(point);
  const std::vector<std::string> after = PicksOf(session);
  EXPECT_FALSE(after.empty());
  EXPECT_EQ(std::ranges::count(after, picks[2]), 0);
}

}  // namespace
}  // namespace fettle

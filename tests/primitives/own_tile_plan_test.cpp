#include "fettle/primitives/own_tile_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fettle/core/random.h"

namespace fettle {
namespace {

TileWork RandomWork(Random* random) {
  TileWork work;
  work.tiles = 1 + static_cast<int64_t>(random->Below(random->Below(2) == 0 ? 8 : 800));
  work.chunks = 1 + static_cast<int64_t>(random->Below(20));
  work.positions = 16 + static_cast<int64_t>(random->Below(400));
  work.v_bytes = work.positions * 4 * (1 + static_cast<int64_t>(random->Below(512)));
  work.m_bytes = work.positions * 4 * 32;
  work.filter_bytes = work.v_bytes * 32 * work.chunks;
  work.can_stage = random->Below(2) == 0;
  return work;
}

TEST(TilePlanTest, GivesEveryThreadWorkWhereThereIsAny) {
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const TileWork work = RandomWork(&random);
    Target target;
    target.threads = 1 + static_cast<int>(random.Below(9));
    target.l2_bytes = int64_t{1} << (15 + random.Below(8));
    const TilePlan plan = PlanTiles(work, target);
    ASSERT_GE(plan.blocks, 1);
    ASSERT_LE(plan.blocks, work.tiles);
    ASSERT_GE(plan.parts, 1);
    ASSERT_LE(plan.parts, work.chunks);
    EXPECT_GE(plan.tasks(), std::min<int64_t>(target.threads, work.tiles * work.chunks))
        << work.tiles << " tiles, " << work.chunks << " chunks, " << target.threads << " threads";
  }
}

TEST(TilePlanTest, StagesOnlyWhatMayBeStagedAndDoesNotFit) {
  TileWork work{.tiles = 196, .chunks = 16, .positions = 36, .can_stage = true};
  work.v_bytes = work.positions * 512 * 4;
  work.m_bytes = work.positions * 32 * 4;
  work.filter_bytes = work.positions * 512 * 512 * 4;
  Target target;
  target.l2_bytes = 1 << 20;
  EXPECT_TRUE(PlanTiles(work, target).is_staged);
  work.can_stage = false;
  EXPECT_FALSE(PlanTiles(work, target).is_staged);
  work.can_stage = true;
  target.l2_bytes = 1 << 30;
  EXPECT_FALSE(PlanTiles(work, target).is_staged);
}

}  // namespace
}  // namespace fettle

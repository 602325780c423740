// What the agreement tests cannot see of the primitives over oneDNN and OpenBLAS: which
// implementations they offer, which they decline and why, and how they fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "fettle/core/error.h"
#include "fettle/primitives/primitive_list.h"

namespace fettle {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

LayerSpec Parsed(const std::string& text) {
  const std::optional<LayerSpec> spec = ParseLayerSpec(text);
  EXPECT_TRUE(spec) << text;
  return spec.value_or(LayerSpec{});
}

const char kConv3x3[] =
    "conv(kernel=3x3,strides=1x1,dilations=1x1,pads_begin=1x1,pads_end=1x1,groups=1) "
    "in=f32[1x32x14x14],f32[1x32x14x14] weights=f32[32x32x3x3],f32[32] out=f32[1x32x14x14] "
    "residual=1 activation(kind=relu,alpha=0,beta=0)";

class LibraryPrimitivesTest : public testing::Test {
 protected:
  std::vector<Implementation> Offered(std::string_view primitive, const LayerSpec& spec,
                                      const Target& target) const {
    const Primitive* found = list_.Find(primitive);
    EXPECT_NE(found, nullptr) << primitive;
    const Support support = found->Supports(spec, target);
    EXPECT_TRUE(support) << support.reason;
    return found->Implementations(spec, target);
  }

  std::vector<std::string> Names(std::string_view primitive, const LayerSpec& spec,
                                 const Target& target) const {
    std::vector<std::string> names;
    for (const auto& implementation : Offered(primitive, spec, target)) {
      names.push_back(implementation.name);
    }
    return names;
  }

  std::string WhyNot(std::string_view primitive, const std::string& text) const {
    return list_.Find(primitive)->Supports(Parsed(text), target_).reason;
  }

  PrimitiveList list_ = PrimitiveList::All();
  Target target_ = HostTarget(1);
};

TEST_F(LibraryPrimitivesTest, NamesAndLayoutsTellImplementationsApart) {
  const LayerSpec spec = Parsed(kConv3x3);
  std::set<std::tuple<std::string, std::vector<Layout>, Layout>> seen;
  for (const Implementation& implementation : Offered("onednn.conv", spec, target_)) {
    EXPECT_TRUE(
        seen.insert({implementation.name, implementation.inputs, implementation.output}).second)
        << implementation.name;
    EXPECT_THAT(implementation.name, AllOf(HasSubstr("onednn.conv:"), Not(HasSubstr("ref"))));
    EXPECT_EQ(implementation.in_place_input, 1u);
  }
  EXPECT_GE(seen.size(), 2u);
}

TEST_F(LibraryPrimitivesTest, PreparesEachImplementationAndSaysWhatItHolds) {
  const LayerSpec spec = Parsed(kConv3x3);
  const Tensor weights(spec.weights[0]), bias(spec.weights[1]);
  for (const char* name :
       {"onednn.conv", "openblas.im2col_conv", "openblas.im2row_conv", "openblas.kn2row_conv"}) {
    for (const Implementation& implementation : Offered(name, spec, target_)) {
      const auto kernel =
          list_.Find(implementation.name)
              ->Prepare(spec, implementation, target_, std::vector<const Tensor*>{&weights, &bias});
      EXPECT_GE(kernel->WeightBytes(), weights.num_bytes() + bias.num_bytes())
          << implementation.name;
    }
  }
}

TEST_F(LibraryPrimitivesTest, AnImplementationThatIsNotThereIsADeviceError) {
  const LayerSpec spec = Parsed(kConv3x3);
  const Tensor weights(spec.weights[0]), bias(spec.weights[1]);
  Implementation implementation = Offered("onednn.conv", spec, target_).front();
  implementation.name = "onednn.conv:jit:of_another_machine";
  try {
    list_.Find("onednn.conv")
        ->Prepare(spec, implementation, target_, std::vector<const Tensor*>{&weights, &bias});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDevice);
    EXPECT_THAT(error.what(), HasSubstr("jit:of_another_machine"));
  }
}

TEST_F(LibraryPrimitivesTest, WinogradIsOfferedByItsName) {
  if (!target_.has_avx512) GTEST_SKIP() << "oneDNN's Winograd needs AVX-512";
  EXPECT_THAT(Names("onednn.conv", Parsed(kConv3x3), target_),
              Contains(HasSubstr("onednn.conv:winograd:")));
}

TEST_F(LibraryPrimitivesTest, ALesserTargetGetsNoWiderKernels) {
  const LayerSpec spec = Parsed(kConv3x3);
  Target avx2 = target_;
  avx2.has_avx512 = avx2.has_avx512_bf16 = avx2.has_avx512_vnni = false;
  EXPECT_THAT(Names("onednn.conv", spec, avx2), Each(Not(HasSubstr("avx512"))));
  const std::vector<std::string> least = Names("onednn.conv", spec, Target{});
  EXPECT_THAT(least, Each(AllOf(Not(HasSubstr("avx512")), Not(HasSubstr("avx2")))));
  EXPECT_THAT(least, Contains(HasSubstr("sse41")));
  if (target_.has_avx2) {
    EXPECT_THAT(Names("onednn.conv", spec, target_), Each(Not(HasSubstr("sse41"))));
  }
}

TEST_F(LibraryPrimitivesTest, DeclinesWhereOneDnnIsWrong) {
  EXPECT_THAT(
      WhyNot("onednn.conv",
             "conv(kernel=2x2,strides=1x1,dilations=1x1,pads_begin=2x0,pads_end=0x0,groups=1) "
             "in=f32[1x3x5x5] weights=f32[4x3x2x2] out=f32[1x4x6x4]"),
      HasSubstr("padding only"));
  EXPECT_THAT(WhyNot("onednn.lrn",
                     "lrn(size=4,alpha=0.1,beta=0.75,bias=1) in=f32[1x16x5x5] out=f32[1x16x5x5]"),
              HasSubstr("odd"));
  EXPECT_THAT(
      WhyNot("onednn.binary", "binary(kind=sub) in=f32[1x1x1x1],f32[1x3x5x5] out=f32[1x3x5x5]"),
      HasSubstr("first operand"));
  EXPECT_THAT(
      WhyNot("onednn.pool",
             "pool(kind=average,kernel=2x2,strides=2x2,dilations=1x1,pads_begin=0x0,pads_end=0x0,"
             "overhang=1x1,count_include_pad=1) in=f32[1x3x5x5] out=f32[1x3x3x3]"),
      HasSubstr("overhang"));
  EXPECT_THAT(WhyNot("onednn.eltwise",
                     "activation(kind=hard_sigmoid,alpha=0.2,beta=0.5) in=f32[4] out=f32[4]"),
              HasSubstr("hard sigmoid"));
  EXPECT_THAT(WhyNot("onednn.resampling",
                     "resize(mode=linear,coordinates=align_corners,rounding=floor,scales=1x1x2x2,"
                     "sizes=1x3x8x8) in=f32[1x3x4x4] out=f32[1x3x8x8]"),
              HasSubstr("other pixels"));
}

TEST_F(LibraryPrimitivesTest, BinaryKeepsOutOfWhatItsBlockedKernelsGetWrong) {
  const LayerSpec fused = Parsed(
      "binary(kind=add) in=f32[1x16x5x5],f32[1x16x5x5] out=f32[1x16x5x5] "
      "activation(kind=relu,alpha=0,beta=0)");
  for (const auto& implementation : Offered("onednn.binary", fused, target_)) {
    EXPECT_EQ(BlockOf(implementation.output), 1);
  }
  LayerSpec bare = fused;
  bare.activation.reset();
  for (const auto& implementation : Offered("onednn.binary", bare, target_)) {
    EXPECT_EQ(implementation.in_place_input.has_value(), BlockOf(implementation.output) == 1);
  }
}

TEST_F(LibraryPrimitivesTest, LrnIsNeverInPlace) {
  const LayerSpec spec =
      Parsed("lrn(size=5,alpha=0.1,beta=0.75,bias=1) in=f32[1x16x5x5] out=f32[1x16x5x5]");
  for (const auto& implementation : Offered("onednn.lrn", spec, target_)) {
    EXPECT_FALSE(implementation.in_place_input) << implementation.name;
  }
}

TEST_F(LibraryPrimitivesTest, GemvIsForOneRowOnly) {
  EXPECT_THAT(Names("openblas.inner_product",
                    Parsed("inner_product() in=f32[1x8] weights=f32[4x8] out=f32[1x4]"), target_),
              Contains("openblas.inner_product:gemv"));
  EXPECT_THAT(Names("openblas.inner_product",
                    Parsed("inner_product() in=f32[2x8] weights=f32[4x8] out=f32[2x4]"), target_),
              Not(Contains("openblas.inner_product:gemv")));
}

// A spec need not be what its operator can mean: it may come from a file.
TEST_F(LibraryPrimitivesTest, RefusesLayersThatMakeNoSense) {
  const std::vector<std::string> senseless = {
      ("conv(kernel=none,strides=none,dilations=none,pads_begin=none,pads_end=none,groups=1) "
       "out=f32[1x1x1x1]"),
      "gemm(transpose_a=0,transpose_b=0,alpha=1,beta=1) out=f32[2x2] residual=1",
      "matmul() out=f32[2x2]",
      "inner_product() in=f32[2x2] out=f32[2x2] residual=1",
      ("pool(kind=max,kernel=2,strides=1,dilations=1,pads_begin=0,pads_end=0,overhang=none,"
       "count_include_pad=0) in=f32[1x1x4x4] out=f32[1x1x4x4]"),
      ("pool(kind=max,kernel=2x2,strides=1x1,dilations=1x1,pads_begin=0x0,pads_end=0x0,"
       "overhang=0x0,count_include_pad=0) in=f32[1x1x4x4] out=f32[1x1x4]"),
      "global_average_pool() in=f32[4x4] out=f32[4x4]",
      "global_average_pool() out=f32[1x1x1x1]",
      "binary(kind=add) out=f32[1x1x1x1] residual=1",
      "binary(kind=add) in=f32[2x3],f32[4] out=f32[2x3]",
      "sum() out=f32[1]",
      "concat(axis=0) out=f32[1]",
      "concat(axis=-1) in=f32[2] out=f32[2]",
      "concat(axis=1) in=f32[2x2],f32[3x2] out=f32[2x4]",
      "concat(axis=1) in=f32[2x2],f32[2x2] out=f32[2x5]",
      "softmax(axis=7) in=f32[2x2] out=f32[2x2]",
      "softmax(axis=-1) in=f32[2x2] out=f32[2x2]",
      "softmax(axis=0) in=f32[2x2] out=f32[2x3]",
      "lrn(size=0,alpha=1,beta=1,bias=1) in=f32[1x2x3x3] out=f32[1x2x3x3]",
      "activation(kind=relu,alpha=0,beta=0) in=f32[0] out=f32[0]",
      "activation(kind=relu,alpha=0,beta=0) in=i64[4] out=i64[4]",
      "activation(kind=relu,alpha=0,beta=0) in=f32[1x1x1x1x1x1x2] out=f32[1x1x1x1x1x1x2]",
      "reorder() in=f32[4] out=f32[5]",
      "reorder() in=f32[4],f32[4] out=f32[4]",
      "cast(dtype=i32) in=f32[4] out=i32[4]",
      ("resize(mode=nearest,coordinates=asymmetric,rounding=floor,scales=none,sizes=none) "
       "in=f32[1x1x2x2] out=f32[1x1x4x4]"),
  };
  for (const std::string& text : senseless) {
    const LayerSpec spec = Parsed(text);
    for (const auto& primitive : list_.primitives()) {
      const bool is_library =
          primitive->Name().starts_with("onednn.") || primitive->Name().starts_with("openblas.");
      if (!is_library) continue;
      const Support support = primitive->Supports(spec, target_);
      EXPECT_FALSE(support) << primitive->Name() << " of " << text;
      EXPECT_FALSE(support.reason.empty()) << primitive->Name() << " of " << text;
    }
  }
}

}  // namespace
}  // namespace fettle

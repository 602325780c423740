#include "fettle/device/peers/onnxruntime/onnxruntime_peer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "tests/support/onnx_builder.h"
#include "tests/support/peer.h"
#include "tests/support/test_tensors.h"

namespace fettle {
namespace {

using testing::AllOf;
using testing::Each;
using testing::Gt;
using testing::HasSubstr;
using testing::SizeIs;

Tensor Floats(const Shape& shape, const std::vector<float>& values) {
  return Tensor::Of<float>(DType::kF32, shape, values);
}

// y = Relu(Conv(x)), one channel of 3x3 to one of 2x2.
std::string ConvRelu() {
  OnnxBuilder onnx("conv_relu", 17);
  onnx.Input("x", DType::kF32, {"N", 1, 3, 3});
  const std::string weight = onnx.Initializer("w", Floats({1, 1, 2, 2}, {1, 2, 3, 4}));
  const std::string bias = onnx.Initializer("b", Floats({1}, {-40}));
  onnx.NodeTo({"y"}, "Relu", {onnx.Node("Conv", {"x", weight, bias})});
  onnx.Output("y", DType::kF32, {"N", 1, 2, 2});
  return onnx.Serialize();
}

std::string IdentityOf(DType dtype, const OnnxShape& shape) {
  OnnxBuilder onnx("identity", 17);
  onnx.Input("x", dtype, shape);
  onnx.NodeTo({"y"}, "Identity", {"x"});
  onnx.Output("y", dtype, shape);
  return onnx.Serialize();
}

template <typename F>
std::string ErrorOf(F&& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDevice);
    return error.what();
  }
  return "no error";
}

// One process for all the tests that leave it whole.
OnnxRuntimePeer& Peer() {
  static OnnxRuntimePeer peer(InstalledPeer());
  return peer;
}

TEST(OnnxRuntimePeerTest, SaysItsVersion) { EXPECT_EQ(Peer().version(), "1.30.0"); }

TEST(OnnxRuntimePeerTest, ComputesAKnownConvolution) {
  OnnxRuntimeSession session = Peer().LoadBytes(ConvRelu());
  EXPECT_THAT(session.inputs(), testing::ElementsAre("x"));
  EXPECT_THAT(session.outputs(), testing::ElementsAre("y"));
  const Tensor x = Floats({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  // 1 + 2*2 + 3*4 + 4*5 = 37, and 10 more for each step to the right, 30 for each down.
  EXPECT_THAT(session.Run({{x}}), testing::ElementsAre(Floats({1, 1, 2, 2}, {0, 7, 27, 37})));
}

TEST(OnnxRuntimePeerTest, ServesSeveralSessionsAndBatches) {
  OnnxRuntimeSession conv = Peer().LoadBytes(ConvRelu());
  OnnxRuntimeSession identity = Peer().LoadBytes(IdentityOf(DType::kF32, {2}));
  const Tensor x = Floats({2, 1, 3, 3}, std::vector<float>(18, 5));
  EXPECT_EQ(conv.Run({{x}}).at(0), Floats({2, 1, 2, 2}, std::vector<float>(8, 10)));
  EXPECT_EQ(identity.Run({{Floats({2}, {1, 2})}}).at(0), Floats({2}, {1, 2}));
  OnnxRuntimeSession moved = std::move(conv);
  EXPECT_EQ(moved.Run({{x}}).at(0).shape(), (Shape{2, 1, 2, 2}));
}

TEST(OnnxRuntimePeerTest, PassesEveryElementTypeAndShape) {
  for (const DType dtype : {DType::kF32, DType::kF64, DType::kI8, DType::kU8, DType::kI16,
                            DType::kI32, DType::kI64, DType::kBool}) {
    for (const Shape& shape : std::vector<Shape>{{}, {3}, {2, 0, 4}, {1, 2, 3, 4, 5}}) {
      OnnxRuntimeSession session = Peer().LoadBytes(IdentityOf(dtype, ToOnnxShape(shape)));
      const Tensor x = RandomTensor({dtype, shape}, 1);
      EXPECT_THAT(session.Run({{x}}), testing::ElementsAre(x)) << TypeText(x.type());
    }
  }
  OnnxRuntimeSession halves = Peer().LoadBytes(IdentityOf(DType::kF16, {2}));
  const Tensor x = Tensor::Of<uint16_t>(DType::kF16, {2}, {{0x3c00, 0xc400}});
  EXPECT_THAT(halves.Run({{x}}), testing::ElementsAre(x));
}

TEST(OnnxRuntimePeerTest, EveryOptimisationAndThreadCountComputesTheSame) {
  const Tensor x = RandomTensor({DType::kF32, {4, 1, 3, 3}}, 1);
  const Tensor want = Peer().LoadBytes(ConvRelu()).Run({{x}}).at(0);
  for (const auto optimisation :
       {OnnxRuntimeOptimisation::kNone, OnnxRuntimeOptimisation::kBasic,
        OnnxRuntimeOptimisation::kExtended, OnnxRuntimeOptimisation::kAll}) {
    for (const int threads : {1, 2}) {
      OnnxRuntimeSession session = Peer().LoadBytes(ConvRelu(), {threads, optimisation});
      EXPECT_LT(RelativeError(session.Run({{x}}).at(0), want), 1e-5);
    }
  }
}

TEST(OnnxRuntimePeerTest, TimesRuns) {
  OnnxRuntimeSession session = Peer().LoadBytes(ConvRelu());
  const Tensor x = RandomTensor({DType::kF32, {1, 1, 3, 3}}, 1);
  EXPECT_THAT(session.Time({{x}}, 2, 5), AllOf(SizeIs(5), Each(Gt(0))));
  EXPECT_THAT(session.Time({{x}}, 0, 0), SizeIs(0));
  EXPECT_THAT(Peer().TimeBinding(2, 7), AllOf(SizeIs(7), Each(Gt(0))));
}

TEST(OnnxRuntimePeerTest, LoadsFromAFile) {
  const std::string path = Text(testing::TempDir(), "fettle_peer_test_", ::getpid(), ".onnx");
  WriteFileAtomically(path, ConvRelu());
  EXPECT_THAT(Peer().Load(path).inputs(), testing::ElementsAre("x"));
  std::filesystem::remove(path);
  EXPECT_THAT(ErrorOf([&] { Peer().Load(path); }), HasSubstr("ONNX Runtime: "));
}

TEST(OnnxRuntimePeerTest, GoesOnAfterWhatOnnxRuntimeRefuses) {
  OnnxRuntimeSession session = Peer().LoadBytes(ConvRelu());
  EXPECT_THAT(ErrorOf([&] { Peer().LoadBytes("no model"); }), HasSubstr("ONNX Runtime: "));
  EXPECT_THAT(ErrorOf([&] { Peer().LoadBytes(""); }), HasSubstr("ONNX Runtime: "));
  const std::string model = ConvRelu();
  EXPECT_NE(ErrorOf([&] { Peer().LoadBytes(model.substr(0, model.size() / 2)); }), "no error");
  EXPECT_THAT(ErrorOf([&] { session.Run({}); }), HasSubstr("the model has 1 inputs, not 0"));
  for (const TensorType& type :
       {TensorType{DType::kF32, {1, 1, 4, 4}}, TensorType{DType::kF32, {1, 1, 3}},
        TensorType{DType::kF64, {1, 1, 3, 3}}, TensorType{DType::kBF16, {1, 1, 3, 3}}}) {
    const Tensor x = RandomTensor(type, 1);
    EXPECT_NE(ErrorOf([&] { session.Run({{x}}); }), "no error") << TypeText(type);
    EXPECT_NE(ErrorOf([&] { session.Time({{x}}, 1, 1); }), "no error") << TypeText(type);
  }
  const Tensor x = RandomTensor({DType::kF32, {1, 1, 3, 3}}, 1);
  EXPECT_EQ(session.Run({{x}}).at(0).shape(), (Shape{1, 1, 2, 2}));
}

TEST(OnnxRuntimePeerFailureTest, AKilledProcessIsAnError) {
  OnnxRuntimePeer peer(InstalledPeer());
  OnnxRuntimeSession session = peer.LoadBytes(ConvRelu());
  const Tensor x = RandomTensor({DType::kF32, {1, 1, 3, 3}}, 1);
  ASSERT_EQ(::kill(peer.process_id(), SIGKILL), 0);
  EXPECT_THAT(ErrorOf([&] { session.Run({{x}}); }), HasSubstr("it stopped"));
  EXPECT_EQ(peer.process_id(), -1);
  EXPECT_THAT(ErrorOf([&] { session.Time({{x}}, 1, 1); }), HasSubstr("it stopped"));
  EXPECT_THAT(ErrorOf([&] { peer.LoadBytes(ConvRelu()); }), HasSubstr("it stopped"));
}

TEST(OnnxRuntimePeerFailureTest, ARequestTimesOut) {
  OnnxRuntimePeerOptions options = InstalledPeer();
  options.timeout = std::chrono::seconds(20);  // to start in, on a busy machine
  OnnxRuntimePeer peer(options);
  OnnxRuntimeSession session = peer.LoadBytes(ConvRelu());
  ASSERT_EQ(::kill(peer.process_id(), SIGSTOP), 0);
  const Tensor x = RandomTensor({DType::kF32, {1, 1, 3, 3}}, 1);
  peer.set_timeout(std::chrono::milliseconds(50));
  EXPECT_THAT(ErrorOf([&] { session.Run({{x}}); }), HasSubstr("did not answer in time"));
  EXPECT_EQ(peer.process_id(), -1);
  EXPECT_THAT(ErrorOf([&] { session.Run({{x}}); }), HasSubstr("did not answer in time"));
}

// What a shell script does in the peer's place.
std::string ErrorOfScript(const std::string& script, std::chrono::milliseconds timeout) {
  const std::string path = Text(testing::TempDir(), "fettle_peer_test_", ::getpid(), ".sh");
  WriteFileAtomically(path, script);
  const std::string error =
      ErrorOf([&] { OnnxRuntimePeer peer({.script = path, .node = "sh", .timeout = timeout}); });
  std::filesystem::remove(path);
  return error;
}

TEST(OnnxRuntimePeerFailureTest, SaysWhyItCannotStart) {
  constexpr std::chrono::seconds kLong{60};
  EXPECT_THAT(ErrorOf([] {
                OnnxRuntimePeer peer({.script = "peer.mjs", .node = "fettle-no-such-program"});
              }),
              AllOf(HasSubstr("fettle-no-such-program: No such file"),
                    HasSubstr("tools/install_peer installs it")));
  EXPECT_THAT(ErrorOf([] { OnnxRuntimePeer peer({.script = "/no/such/peer.mjs"}); }),
              AllOf(HasSubstr("it stopped"), HasSubstr("Cannot find module")));
  EXPECT_THAT(ErrorOfScript("echo the reason >&2; exit 1", kLong),
              HasSubstr("it stopped: the reason"));
  EXPECT_THAT(ErrorOfScript("echo something other than a header", kLong),
              HasSubstr("does not speak the peer's protocol"));
  EXPECT_THAT(ErrorOfScript("printf FTK1", kLong), HasSubstr("it stopped"));
  EXPECT_THAT(ErrorOfScript("exec sleep 60", std::chrono::milliseconds(50)),
              HasSubstr("did not answer in time"));
}

TEST(OnnxRuntimePeerFailureTest, MalformedAnswersAreErrors) {
  constexpr std::chrono::seconds kLong{60};
  // A body of 0, and of 4 bytes; a length of 2^56; a text longer than the body.
  EXPECT_THAT(ErrorOfScript("printf 'FTK1\\0\\0\\0\\0\\0\\0\\0\\0'; sleep 60", kLong),
              HasSubstr("malformed"));
  EXPECT_THAT(ErrorOfScript("printf 'FTK1\\4\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0'; sleep 60", kLong),
              HasSubstr("malformed"));
  EXPECT_THAT(ErrorOfScript("printf 'FTK1\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\0'", kLong),
              HasSubstr("it stopped"));
  EXPECT_THAT(
      ErrorOfScript("printf 'FTK1\\10\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\7\\0\\0\\0'; sleep 60",
                    kLong),
      HasSubstr("malformed"));
}

TEST(OnnxRuntimePeerFailureTest, ALotOnStderrNeitherBlocksNorGrows) {
  const std::string error =
      ErrorOfScript("i=0; while [ $i -lt 20000 ]; do echo line of noise $i >&2; i=$((i+1)); done",
                    std::chrono::seconds(60));
  EXPECT_THAT(error, HasSubstr("line of noise 19999"));
  EXPECT_LT(error.size(), 2000U);
}

}  // namespace
}  // namespace fettle

#include "fettle/device/worker_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "fettle/core/error.h"
#include "tests/support/sanitized.h"

namespace fettle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr seconds kAmple{60};

WorkerCommand Command(const std::string& mode) {
  return {{FETTLE_FAULTY_WORKER, mode}, {}, kAmple};
}

// Whether the process is gone, or is but a zombie that nobody waits for.
bool HasEnded(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return !(stat >> number >> name >> state) || state == "Z" || state == "X";
}

bool EndsSoon(pid_t pid) {
  for (int i = 0; i < 3000; ++i) {
    if (HasEnded(pid)) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

pid_t PidOf(WorkerClient* client) {
  pid_t pid = 0;
  std::istringstream(client->Ask("identity", "", kAmple).body) >> pid;
  return pid;
}

TEST(WorkerClientTest, StartsAWorkerOnceAndAsksIt) {
  WorkerClient client(Command("sound"));
  EXPECT_EQ(client.starts(), 0);
  for (const std::string body : {"a", "b\n"}) {
    const Reply reply = client.Ask("echo", body, kAmple);
    EXPECT_EQ(reply.status, ReplyStatus::kAnswer);
    EXPECT_EQ(reply.body, body);
  }
  EXPECT_EQ(client.starts(), 1);
  EXPECT_EQ(client.software(), "faulty 1");
}

struct Fault {
  const char* what;
  ReplyStatus status;
  const char* detail;
};

class FaultTest : public testing::TestWithParam<Fault> {};

TEST_P(FaultTest, IsToldAndTheNextRequestIsAnswered) {
  const Fault& fault = GetParam();
  WorkerClient client(Command("sound"));
  const bool waits = fault.status == ReplyStatus::kTimedOut;
  ASSERT_EQ(client.Ask("echo", "", kAmple).status, ReplyStatus::kAnswer);
  const Reply reply = client.Ask("misbehave", fault.what,
                                 waits ? std::chrono::nanoseconds(milliseconds(300)) : kAmple);
  EXPECT_EQ(reply.status, fault.status);
  EXPECT_THAT(reply.detail, HasSubstr(fault.detail));
  const Reply next = client.Ask("echo", "next", kAmple);
  EXPECT_EQ(next.status, ReplyStatus::kAnswer);
  EXPECT_EQ(next.body, "next");
  EXPECT_EQ(client.starts(), 2);
}

INSTANTIATE_TEST_SUITE_P(
    WorkerClientTest, FaultTest,
    testing::Values(Fault{"crash", ReplyStatus::kCrashed, "killed by signal 11"},
                    Fault{"abort", ReplyStatus::kCrashed, "killed by signal 9"},
                    Fault{"exit", ReplyStatus::kCrashed, "exited with code 3"},
                    Fault{"hang", ReplyStatus::kTimedOut, "no answer within 0.3 s"},
                    Fault{"deaf", ReplyStatus::kTimedOut, "no answer"},
                    Fault{"late", ReplyStatus::kTimedOut, "no answer"},
                    Fault{"dribble", ReplyStatus::kTimedOut, "no answer"},
                    Fault{"flood", ReplyStatus::kTimedOut, "no answer"},
                    Fault{"garbage", ReplyStatus::kCrashed, "no message: 'Segmentation"},
                    Fault{"version", ReplyStatus::kCrashed, "'fettle/9'"},
                    Fault{"oversized", ReplyStatus::kCrashed, "longest allowed"},
                    Fault{"half", ReplyStatus::kCrashed, "exited with code 0"},
                    Fault{"stranger", ReplyStatus::kCrashed, "nobody made"},
                    Fault{"progress", ReplyStatus::kCrashed, "killed by signal 11"}),
    [](const auto& fault) { return std::string(fault.param.what); });

TEST(WorkerClientTest, AnErrorIsNoDeath) {
  WorkerClient client(Command("sound"));
  const Reply reply = client.Ask("misbehave", "error", kAmple);
  EXPECT_EQ(reply.status, ReplyStatus::kError);
  EXPECT_EQ(reply.error, (WorkerError{ErrorKind::kBadInput, "model.onnx: is empty"}));
  EXPECT_EQ(client.Ask("echo", "", kAmple).status, ReplyStatus::kAnswer);
  EXPECT_EQ(client.starts(), 1);
}

TEST(WorkerClientTest, AnUnknownKindOfReplyIsNonsense) {
  WorkerClient client(Command("sound"));
  const Reply reply = client.Ask("misbehave", "novelty", kAmple);  // its request is the second
  EXPECT_EQ(reply.status, ReplyStatus::kCrashed);
  EXPECT_THAT(reply.detail, HasSubstr("answered 'novelty'"));
}

TEST(WorkerClientTest, HearsOfProgressBeforeTheCrash) {
  WorkerClient client(Command("sound"));
  std::vector<std::string> heard;
  client.Ask("misbehave", "progress", kAmple,
             [&](const std::string& body) { heard.push_back(body); });
  EXPECT_EQ(heard, (std::vector<std::string>{"one", "two"}));
}

TEST(WorkerClientTest, AMemoryLimitTurnsEatingIntoAnError) {
  if (kIsSanitized) GTEST_SKIP() << "the address sanitizer reserves more than any limit";
  WorkerCommand command = Command("sound");
  command.memory_limit_bytes = int64_t{1} << 30;
  WorkerClient client(std::move(command));
  const Reply reply = client.Ask("misbehave", "eat", kAmple);
  EXPECT_EQ(reply.status, ReplyStatus::kError);
  EXPECT_EQ(reply.error.message, "out of memory");
  EXPECT_EQ(client.Ask("echo", "", kAmple).status, ReplyStatus::kAnswer);
  EXPECT_EQ(client.starts(), 1);
}

TEST(WorkerClientTest, WhatIsNoWorkerIsAnError) {
  const auto fault_of = [](WorkerCommand command) -> std::string {
    try {
      WorkerClient(std::move(command)).Ask("echo", "", kAmple);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kDevice);
      return error.what();
    }
    return "none";
  };
  EXPECT_THAT(fault_of({{"/no/such/program"}, {}, kAmple}),
              HasSubstr("cannot start the worker '/no/such/program': No such file"));
  EXPECT_THAT(fault_of({{"/"}, {}, kAmple}), HasSubstr("cannot start"));
  EXPECT_THAT(fault_of(Command("exit")), HasSubstr("did not start: the worker exited with code 7"));
  EXPECT_THAT(fault_of(Command("nonsense")), HasSubstr("no message: 'Hello, world!"));
  EXPECT_THAT(fault_of(Command("old")), HasSubstr("protocol 'fettle/0', this is 'fettle/1'"));
  WorkerCommand mute = Command("mute");
  mute.start_timeout = milliseconds(100);
  EXPECT_THAT(fault_of(mute), HasSubstr("did not start: no answer within 0.1 s"));
}

TEST(WorkerClientTest, TheWorkerIsAGroupOfItsOwnWithNothingOfOurs) {
  WorkerClient client(Command("sound"));
  pid_t pid = 0, group = 0, parent = 0;
  int descriptors = 0;
  std::istringstream(client.Ask("identity", "", kAmple).body) >> pid >> group >> parent >>
      descriptors;
  EXPECT_EQ(group, pid);
  EXPECT_NE(group, ::getpgrp());
  EXPECT_EQ(parent, ::getpid());
  EXPECT_EQ(descriptors, 3);
}

TEST(WorkerClientTest, NoWorkerIsLeftBehind) {
  pid_t stopped = 0, destroyed = 0;
  {
    WorkerClient client(Command("sound"));
    stopped = PidOf(&client);
    client.Stop();
    EXPECT_TRUE(HasEnded(stopped));
    destroyed = PidOf(&client);
    EXPECT_NE(destroyed, stopped);
  }
  EXPECT_TRUE(HasEnded(destroyed));
}

TEST(WorkerClientTest, AWorkerThatDiedBetweenRequestsIsReplaced) {
  WorkerClient client(Command("sound"));
  const pid_t pid = PidOf(&client);
  ::kill(pid, SIGKILL);
  ASSERT_TRUE(EndsSoon(pid));
  EXPECT_EQ(client.Ask("echo", "", kAmple).status, ReplyStatus::kAnswer);
  EXPECT_EQ(client.starts(), 2);
}

TEST(WorkerProcessTest, DiesWithItsParent) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t parent = ::fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    // Mute: it does not listen, so that it is not the closed socket that ends it.
    const WorkerProcess worker(Command("mute"));
    const pid_t pid = worker.pid();
    const bool told = ::write(pipe[1], &pid, sizeof pid) == sizeof pid;
    ::kill(::getpid(), told ? SIGKILL : SIGABRT);
  }
  pid_t worker = 0;
  ASSERT_EQ(::read(pipe[0], &worker, sizeof worker), static_cast<ssize_t>(sizeof worker));
  ASSERT_EQ(::waitpid(parent, nullptr, 0), parent);
  EXPECT_TRUE(EndsSoon(worker));
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST(WorkerProcessTest, TellsHowItEnded) {
  WorkerProcess mute(Command("mute"));
  EXPECT_EQ(mute.End(milliseconds(10)), "had to be killed");
  EXPECT_EQ(mute.End(milliseconds(10)), "had to be killed");
  WorkerProcess sound(Command("sound"));
  EXPECT_EQ(sound.End(kAmple), "exited with code 0");
}

class MeasureLayerTest : public testing::Test {
 protected:
  static LayerRequest Request(const std::vector<std::string>& names) {
    LayerRequest request;
    request.spec = *ParseLayerSpec("activation(kind=relu,alpha=0,beta=0) in=f32[1x9] out=f32[1x9]");
    for (const std::string& name : names) {
      request.implementations.push_back({"fake:" + name, 3, {Layout::kPlain}, Layout::kPlain, {}});
    }
    request.options.max_rounds = 12;
    request.options.warm_up_budget = milliseconds(1);
    request.options.contender_budget = milliseconds(20);
    return request;
  }

  static std::vector<MeasurementStatus> StatusesOf(const LayerAnswer& answer) {
    std::vector<MeasurementStatus> statuses;
    for (const Timing& timing : answer.timings) {
      const MeasurementStatus status = timing.measurement.status;
      // How steady this machine is is not the question.
      statuses.push_back(status == MeasurementStatus::kUnstable ? MeasurementStatus::kOk : status);
    }
    return statuses;
  }
};

using enum MeasurementStatus;

TEST_F(MeasureLayerTest, AllAreMeasuredByOneWorker) {
  WorkerClient client(Command("sound"));
  const LayerAnswer answer = client.MeasureLayer(Request({"sound", "wrong", "other"}), kAmple);
  EXPECT_EQ(StatusesOf(answer), (std::vector{kOk, kWrongResult, kOk}));
  EXPECT_FALSE(answer.timings[0].measurement.samples_ms.empty());
  EXPECT_EQ(client.starts(), 1);
}

TEST_F(MeasureLayerTest, ACrashCostsOnlyTheOneThatCrashed) {
  WorkerClient client(Command("sound"));
  const LayerAnswer answer =
      client.MeasureLayer(Request({"sound", "crashes", "other", "unheard_of"}), kAmple);
  EXPECT_EQ(StatusesOf(answer), (std::vector{kOk, kCrashed, kOk, kNotApplicable}));
  EXPECT_THAT(answer.timings[1].measurement.detail, HasSubstr("signal 11"));
  EXPECT_EQ(client.starts(), 2);
}

TEST_F(MeasureLayerTest, ACrashInTheRaceIsFoundByAskingForEachAlone) {
  WorkerClient client(Command("sound"));
  const LayerAnswer answer =
      client.MeasureLayer(Request({"sound", "crashes_later", "other"}), kAmple);
  EXPECT_EQ(StatusesOf(answer), (std::vector{kOk, kCrashed, kOk}));
}

TEST_F(MeasureLayerTest, AHangIsATimeOut) {
  WorkerClient client(Command("sound"));
  const LayerAnswer answer = client.MeasureLayer(Request({"hangs", "sound"}), seconds(2));
  EXPECT_EQ(StatusesOf(answer), (std::vector{kTimedOut, kOk}));
}

TEST_F(MeasureLayerTest, AnAnswerThatDoesNotFitIsACrash) {
  WorkerClient client(Command("liar"));
  const LayerAnswer answer = client.MeasureLayer(Request({"sound", "other"}), kAmple);
  EXPECT_EQ(StatusesOf(answer), (std::vector{kCrashed, kCrashed}));
  EXPECT_THAT(answer.timings[0].measurement.detail, HasSubstr("answered with 0 timings"));
}

TEST_F(MeasureLayerTest, TheRealWorkerDescribesAndMeasures) {
  WorkerClient client(Command("real"));
  const Description description = client.Describe({2});
  EXPECT_EQ(description.preflight.threads, 2);
  EXPECT_GE(description.fingerprint.cores, 1);
  EXPECT_EQ(description.fingerprint.libraries.at("test"), "1");
  LayerRequest request = Request({"gone"});
  request.implementations.push_back({"reference", 1, {Layout::kPlain}, Layout::kPlain, {}});
  const LayerAnswer answer = client.MeasureLayer(request, kAmple);
  EXPECT_EQ(StatusesOf(answer), (std::vector{kNotApplicable, kOk}));
  EXPECT_GE(answer.timings[1].measurement.samples_ms.size(), 1u);
  EXPECT_GT(answer.peak_bytes.value_or(1), 0);
  EXPECT_GE(WorkerClient::TimeoutOf(request), seconds(60));
}

}  // namespace
}  // namespace fettle

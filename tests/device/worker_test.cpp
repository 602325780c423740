#include "fettle/device/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <optional>
#include <stdexcept>
#include <thread>

#include "fettle/core/error.h"
#include "fettle/device/worker_protocol.h"
#include "tests/device/scripted_handler.h"

namespace fettle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

Deadline Soon() { return std::chrono::steady_clock::now() + seconds(30); }

// A worker in a thread of this process, at the other end of a socket.
class WorkerTest : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    raw_ = ends[0];
    channel_.emplace(ends[0]);
    handlers_.push_back(Handler("echo", [](const std::string& body, const auto& progress) {
      if (body == "with progress") progress("half");
      return body;
    }));
    handlers_.push_back(Handler("fail", [](const std::string& body, const auto&) -> std::string {
      if (body == "input") throw BadInput("file.onnx: is empty");
      if (body == "memory") throw std::bad_alloc();
      throw std::runtime_error("unforeseen");
    }));
    handlers_.push_back(
        Handler("long", [](const std::string&, const auto&) { return std::string(8 << 20, 'x'); }));
    handlers_.push_back(Handler("endless", [](const std::string&, const auto& progress) {
      while (true) progress(std::string(1 << 20, 'x'));
      return std::string();
    }));
    ended_ = std::async(std::launch::async, [this, end = ends[1]]() -> std::string {
      try {
        MessageChannel peer(end);
        ServeRequests(peer, handlers_, "fettle test", patience_);
        return "quietly";
      } catch (const Error& error) {
        return error.what();
      }
    });
  }

  void TearDown() override {
    channel_.reset();
    if (ended_.valid()) ended_.wait();
  }

  Message Ask(const Message& request) {
    EXPECT_TRUE(channel_->Send(request, Soon()));
    return Next();
  }
  Message Next() {
    const Received received = channel_->Receive(Soon());
    EXPECT_EQ(received.status, ReceiveStatus::kMessage);
    return received.message;
  }
  void SendRaw(std::string_view bytes) {
    ASSERT_EQ(::send(raw_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // How the worker ended, once it has.
  std::string Ending() {
    if (ended_.wait_for(seconds(30)) != std::future_status::ready) return "not at all";
    return ended_.get();
  }

  WorkerPatience patience_{milliseconds(100), milliseconds(100)};
  int raw_ = -1;
  std::optional<MessageChannel> channel_;
  std::vector<std::unique_ptr<RequestHandler>> handlers_;
  std::future<std::string> ended_;
};

TEST_F(WorkerTest, SaysHelloAndQuits) {
  EXPECT_EQ(Ask({1, "hello", ""}), (Message{1, "answer", "fettle test"}));
  EXPECT_TRUE(channel_->Send({2, "quit", ""}, Soon()));
  EXPECT_EQ(Ending(), "quietly");
}

TEST_F(WorkerTest, AnswersOneRequestAfterAnother) {
  EXPECT_EQ(Ask({5, "echo", "a"}), (Message{5, "answer", "a"}));
  EXPECT_EQ(Ask({3, "echo", "with progress"}), (Message{3, "progress", "half"}));
  EXPECT_EQ(Next(), (Message{3, "answer", "with progress"}));
  SendRaw(Encoded({6, "echo", "b"}) + Encoded({7, "echo", "c"}));
  EXPECT_EQ(Next(), (Message{6, "answer", "b"}));
  EXPECT_EQ(Next(), (Message{7, "answer", "c"}));
  channel_.reset();
  EXPECT_EQ(Ending(), "quietly");
}

TEST_F(WorkerTest, SaysWhatItCannot) {
  const auto error_of = [&](const char* kind, const char* body) {
    const Message reply = Ask({9, kind, body});
    EXPECT_EQ(reply.id, 9u);
    EXPECT_EQ(reply.kind, "error");
    return ParseWorkerError(reply.body);
  };
  EXPECT_EQ(error_of("fail", "input"), (WorkerError{ErrorKind::kBadInput, "file.onnx: is empty"}));
  EXPECT_EQ(error_of("fail", "memory"), (WorkerError{ErrorKind::kDevice, "out of memory"}));
  EXPECT_EQ(error_of("fail", ""), (WorkerError{ErrorKind::kInternal, "unforeseen"}));
  EXPECT_THAT(error_of("dance", "").message, HasSubstr("knows no request 'dance'"));
  EXPECT_EQ(Ask({10, "echo", "still there"}).body, "still there");
}

TEST_F(WorkerTest, LeavesAPeerThatTalksNonsense) {
  SendRaw("GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(Ending(), HasSubstr("no message: 'GET / HTTP/1.1"));
}

TEST_F(WorkerTest, LeavesAPeerThatStopsInAMessage) {
  SendRaw("fettle/1 1 echo 100\nabc");
  EXPECT_THAT(Ending(), HasSubstr("in the middle of a message"));
}

TEST_F(WorkerTest, LeavesAPeerThatDribbles) {
  // A byte each 20 ms would keep a worker busy that begins to wait anew with each.
  const std::string bytes = "fettle/1 1 echo 1000\n" + std::string(1000, 'x');
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (::send(raw_, bytes.data() + i, 1, MSG_NOSIGNAL) != 1) break;
    std::this_thread::sleep_for(milliseconds(20));
    if (ended_.wait_for(milliseconds(0)) == std::future_status::ready) break;
  }
  EXPECT_THAT(Ending(), HasSubstr("in the middle of a message"));
}

TEST_F(WorkerTest, IsPatientWithASilentPeer) {
  std::this_thread::sleep_for(milliseconds(150));
  EXPECT_EQ(Ask({1, "echo", "a"}).body, "a");
}

TEST_F(WorkerTest, LeavesAPeerThatDoesNotListen) {
  EXPECT_TRUE(channel_->Send({1, "long", ""}, Soon()));
  EXPECT_THAT(Ending(), HasSubstr("does not take the worker's reply"));
}

TEST_F(WorkerTest, LeavesAPeerThatDoesNotListenToProgress) {
  EXPECT_TRUE(channel_->Send({1, "endless", ""}, Soon()));
  EXPECT_THAT(Ending(), HasSubstr("does not take the worker's progress"));
}

TEST_F(WorkerTest, LeavesAPeerThatHasGone) {
  EXPECT_TRUE(channel_->Send({1, "endless", ""}, Soon()));
  channel_.reset();
  EXPECT_THAT(Ending(), HasSubstr("does not take"));
}

class PatientWorkerTest : public WorkerTest {
 protected:
  PatientWorkerTest() { patience_ = WorkerPatience(); }
};

TEST_F(PatientWorkerTest, ALongAnswerComesThrough) {
  EXPECT_EQ(Ask({1, "long", ""}).body.size(), size_t{8} << 20);
}

}  // namespace
}  // namespace fettle

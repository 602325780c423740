#include "fettle/device/worker.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/device/worker_protocol.h"

namespace fettle {
namespace {

class Worker {
 public:
  Worker(MessageChannel& peer, const std::vector<std::unique_ptr<RequestHandler>>& handlers,
         std::string software, const WorkerPatience& patience)
      : peer_(peer), handlers_(handlers), software_(std::move(software)), patience_(patience) {}

  void Serve() {
    while (true) {
      peer_.AwaitBeginning(kNever);
      const Received received = peer_.Receive(From(patience_.message));
      if (received.status == ReceiveStatus::kClosed) return;
      if (received.status == ReceiveStatus::kTimedOut) {
        throw Error(ErrorKind::kDevice, "the peer stopped in the middle of a message");
      }
      if (received.message.kind == kQuitKind) return;
      Reply(Answer(received.message));
    }
  }

 private:
  static Deadline From(std::chrono::nanoseconds patience) {
    return std::chrono::steady_clock::now() +
           std::chrono::duration_cast<std::chrono::steady_clock::duration>(patience);
  }

  void Reply(const Message& message) {
    if (!peer_.Send(message, From(patience_.reply))) {
      throw Error(ErrorKind::kDevice, "the peer does not take the worker's reply");
    }
  }

  Message Answer(const Message& request) {
    try {
      std::string body = request.kind == kHelloKind ? software_ : AnswerOf(request);
      if (body.size() > kLongestBody) {
        throw Error(ErrorKind::kInternal, "the answer is longer than a message may be");
      }
      return {request.id, std::string(kAnswerKind), std::move(body)};
    } catch (const PeerGone&) {
      throw Error(ErrorKind::kDevice, "the peer does not take the worker's progress");
    } catch (const Error& error) {
      return ErrorMessage(request, {error.kind(), error.what()});
    } catch (const std::bad_alloc&) {
      return ErrorMessage(request, {ErrorKind::kDevice, "out of memory"});
    } catch (const std::exception& error) {
      return ErrorMessage(request, {ErrorKind::kInternal, error.what()});
    }
  }

  // Passes through a handler, so it is none of the exceptions that a handler may catch or throw.
  struct PeerGone {};

  std::string AnswerOf(const Message& request) {
    const auto handler = std::find_if(handlers_.begin(), handlers_.end(),
                                      [&](const auto& one) { return one->Kind() == request.kind; });
    if (handler == handlers_.end()) {
      throw Error(ErrorKind::kDevice,
                  "the worker knows no request '" + request.kind + "'; is it of another version?");
    }
    return (*handler)->Answer(request.body, [&](const std::string& body) {
      const Message message{request.id, std::string(kProgressKind), body};
      if (!peer_.Send(message, From(patience_.reply))) throw PeerGone();
    });
  }

  static Message ErrorMessage(const Message& request, const WorkerError& error) {
    return {request.id, std::string(kErrorKind), BodyOf(error)};
  }

  MessageChannel& peer_;
  const std::vector<std::unique_ptr<RequestHandler>>& handlers_;
  std::string software_;
  WorkerPatience patience_;
};

}  // namespace

void ServeRequests(MessageChannel& peer,
                   const std::vector<std::unique_ptr<RequestHandler>>& handlers,
                   const std::string& software, const WorkerPatience& patience) {
  Worker(peer, handlers, software, patience).Serve();
}

}  // namespace fettle

#include "fettle/device/worker_client.h"

#include <utility>

#include "fettle/core/error.h"
#include "fettle/device/layer_salvage.h"
#include "fettle/device/plan_salvage.h"

namespace fettle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kDescribeTimeout{30};
constexpr milliseconds kGrace{500};  // for a worker that is ending to have ended

Deadline From(std::chrono::nanoseconds timeout) {
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<std::chrono::steady_clock::duration>(timeout);
}

// Why there is no answer.
std::string WordsOf(const Reply& reply) {
  return reply.status == ReplyStatus::kError ? reply.error.message : reply.detail;
}

// Asks until the salvage (a LayerSalvage or a PlanSalvage) has something for each contender.
template <typename Progress, typename Salvage>
void AskForAll(WorkerClient* client, std::string_view kind, std::chrono::nanoseconds timeout,
               Progress (*parse)(std::string_view body), Salvage* salvage) {
  while (const auto part = salvage->Next()) {
    std::optional<Progress> last;
    const Reply reply = client->Ask(kind, BodyOf(*part), timeout,
                                    [&](const std::string& body) { last = parse(body); });
    try {
      salvage->Add(reply, last);
    } catch (const Error& error) {
      client->Stop();
      Reply nonsense;
      nonsense.detail = error.what();
      salvage->Add(nonsense, last);
    }
  }
}

}  // namespace

void WorkerClient::Start() {
  process_ = std::make_unique<WorkerProcess>(command_);
  ++starts_;
  const Message hello{++last_id_, std::string(kHelloKind), ""};
  const Reply reply = Exchange(hello, command_.start_timeout, {});
  if (reply.status != ReplyStatus::kAnswer) {
    process_.reset();
    throw Error(ErrorKind::kDevice,
                Text("the worker '", command_.argv[0], "' did not start: ", WordsOf(reply)));
  }
  software_ = reply.body;
}

Reply WorkerClient::Ask(std::string_view kind, const std::string& body,
                        std::chrono::nanoseconds timeout, const Progress& progress) {
  // A worker that has nothing to do has nothing to say either, unless it died of something else.
  if (process_ && process_->channel().AwaitBeginning(Deadline::clock::now())) Stop();
  if (!process_) Start();
  return Exchange({++last_id_, std::string(kind), body}, timeout, progress);
}

Reply WorkerClient::Exchange(const Message& request, std::chrono::nanoseconds timeout,
                             const Progress& progress) {
  const Deadline deadline = From(timeout);
  const auto give_up_waiting = [&] {
    return GiveUp(ReplyStatus::kTimedOut,
                  Text("no answer within ", std::chrono::duration<double>(timeout).count(), " s"));
  };
  try {
    // Where it cannot be sent, what the worker ended with says more than the failure to send.
    process_->channel().Send(request, deadline);
    while (true) {
      Received received = process_->channel().Receive(deadline);
      if (received.status == ReceiveStatus::kTimedOut) return give_up_waiting();
      if (received.status == ReceiveStatus::kClosed) return GiveUp(ReplyStatus::kCrashed, "");
      Message& message = received.message;
      if (message.id != request.id) {
        return GiveUp(ReplyStatus::kCrashed, "the worker answered a request that nobody made");
      }
      if (message.kind == kAnswerKind) {
        return {ReplyStatus::kAnswer, std::move(message.body), {}, ""};
      }
      if (message.kind == kErrorKind) {
        return {ReplyStatus::kError, "", ParseWorkerError(message.body), ""};
      }
      if (message.kind != kProgressKind) {
        return GiveUp(ReplyStatus::kCrashed, "the worker answered '" + message.kind + "'");
      }
      if (progress) progress(message.body);
      // A flood of progress is no answer either.
      if (std::chrono::steady_clock::now() >= deadline) return give_up_waiting();
    }
  } catch (const Error& error) {
    return GiveUp(ReplyStatus::kCrashed, error.what());
  }
}

// The worker is of no further use: for what it did, or, where that is empty, because it ended.
Reply WorkerClient::GiveUp(ReplyStatus status, const std::string& what) {
  const std::string ending = process_->End(what.empty() ? kGrace : milliseconds(0));
  process_.reset();
  return {status, "", {}, what.empty() ? "the worker " + ending : what};
}

Description WorkerClient::Describe(const DescribeRequest& request) {
  const Reply reply = Ask(kDescribeKind, BodyOf(request), kDescribeTimeout);
  if (reply.status == ReplyStatus::kAnswer) return ParseDescription(reply.body);
  throw Error(ErrorKind::kDevice, "the worker cannot describe its machine: " + WordsOf(reply));
}

std::chrono::nanoseconds WorkerClient::TimeoutOf(const LayerRequest& request) {
  constexpr std::chrono::nanoseconds kSlowMac{100};  // of a naive kernel, run ten times
  const auto budget = request.options.warm_up_budget + request.options.contender_budget;
  return seconds(60) + MacsOf(request.spec) * kSlowMac +
         2 * static_cast<int64_t>(request.implementations.size() + 1) * budget;
}

LayerAnswer WorkerClient::MeasureLayer(const LayerRequest& request,
                                       std::chrono::nanoseconds timeout) {
  LayerSalvage salvage(request);
  AskForAll(this, kMeasureLayerKind, timeout, ParseLayerProgress, &salvage);
  return salvage.TakeAnswer();
}

PlansAnswer WorkerClient::MeasurePlans(const PlansRequest& request,
                                       std::chrono::nanoseconds timeout) {
  PlanSalvage salvage(request);
  AskForAll(this, kMeasurePlansKind, timeout, ParsePlanProgress, &salvage);
  return salvage.TakeAnswer();
}

}  // namespace fettle

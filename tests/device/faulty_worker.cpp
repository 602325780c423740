// A worker that does what the tests of WorkerClient ask of it: dies, hangs, lies. Its first
// argument is how it behaves at its start: "sound", "mute", "exit", "nonsense", "old", "real",
// "plans" (a real one, of fake primitives).
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <thread>

#include "fettle/core/error.h"
#include "fettle/device/cache_sweep.h"
#include "fettle/device/host_environment.h"
#include "fettle/device/reference_work.h"
#include "fettle/device/request_list.h"
#include "fettle/device/worker.h"
#include "fettle/device/worker_protocol.h"
#include "fettle/primitives/primitive_families.h"
#include "tests/device/fake_primitive.h"
#include "tests/device/scripted_handler.h"

namespace fettle {
namespace {

using std::chrono::milliseconds;

constexpr int kSocket = STDIN_FILENO;

[[noreturn]] void Hang() {
  while (true) std::this_thread::sleep_for(std::chrono::hours(1));
}

[[noreturn]] void Crash() {
  ::signal(SIGSEGV, SIG_DFL);  // the sanitizer's handler would turn it into an exit
  ::raise(SIGSEGV);
  std::abort();
}

// Address space, which is what the limit is about; touching it all takes long.
[[noreturn]] void EatMemory() {
  std::vector<std::unique_ptr<char[]>> meals;
  while (true) meals.push_back(std::make_unique_for_overwrite<char[]>(64 << 20));
}

void SendRaw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(kSocket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) std::exit(0);
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

[[noreturn]] void Dribble(std::string_view bytes) {
  for (const char& byte : bytes) {
    SendRaw({&byte, 1});
    std::this_thread::sleep_for(milliseconds(10));
  }
  Hang();
}

// What a request of this kind brings about.
std::string Misbehave(const std::string& what, const RequestHandler::Progress& progress) {
  if (what == "crash") Crash();
  if (what == "abort") ::kill(::getpid(), SIGKILL);
  if (what == "exit") std::_Exit(3);
  if (what == "hang") Hang();
  if (what == "deaf") {  // hangs, and does not even end when it is hung up on
    ::signal(SIGTERM, SIG_IGN);
    Hang();
  }
  if (what == "eat") EatMemory();
  if (what == "garbage") SendRaw("Segmentation fault (core dumped)\n");
  if (what == "version") SendRaw("fettle/9 1 answer 0\n");
  if (what == "oversized") SendRaw("fettle/1 1 answer 999999999999\n");
  if (what == "half") {
    SendRaw("fettle/1 2 answer 100\nabc");
    std::_Exit(0);
  }
  if (what == "dribble") Dribble("fettle/1 2 answer 1000\n" + std::string(1000, 'x'));
  if (what == "stranger") SendRaw(Encoded({12345, "answer", ""}));
  if (what == "novelty") SendRaw(Encoded({2, "novelty", ""}));
  if (what == "late") std::this_thread::sleep_for(milliseconds(700));
  if (what == "progress") {
    for (const char* step : {"one", "two"}) progress(step);
    Crash();
  }
  if (what == "flood") {
    while (true) progress("still busy");
  }
  if (what == "error") throw BadInput("model.onnx: is empty");
  return "survived";
}

std::string Identity() {
  const auto descriptors = std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                         std::filesystem::directory_iterator());
  // One of them reads the folder.
  return Text(::getpid(), " ", ::getpgrp(), " ", ::getppid(), " ", descriptors - 1);
}

[[noreturn]] void Throw() { throw std::runtime_error("no such luck"); }

// How fake primitives compute, some of which take the process with them.
std::vector<FakePrimitive::Way> Ways() {
  const auto later = [](void (*what)()) {
    return [what](const FakeRun& run) {
      if (run.earlier_runs > 20) what();
    };
  };
  return {{"sound", {}},
          {"other", {}},
          {"crashes", [](const FakeRun&) { Crash(); }},
          {"crashes_later", later(Crash)},
          {"hangs", [](const FakeRun&) { Hang(); }},
          {"throws", [](const FakeRun&) { Throw(); }},
          {"throws_later", later(Throw)},
          {"unpreparable", {}},
          {"wrong", [](const FakeRun& run) { run.output[3] ^= std::byte{0x40}; }}};
}

// The reference, and a fake primitive that computes with it.
PrimitiveList FakePrimitives() {
  std::vector<std::unique_ptr<Primitive>> primitives;
  primitives.push_back(MakeReference());
  primitives.push_back(std::make_unique<FakePrimitive>(*primitives[0], Ways()));
  return PrimitiveList(std::move(primitives));
}

// Measures fake layers.
class FakeLayers {
 public:
  FakeLayers()
      : list_(PrimitiveList::All()),
        fake_(list_.reference(), Ways()),
        measurer_(host_, work_, sweep_),
        bench_(measurer_, list_.reference()) {}

  std::string Answer(const std::string& body, const RequestHandler::Progress& progress) {
    const LayerRequest request = ParseLayerRequest(body);
    std::vector<Offer> offers;
    for (const Implementation& one : request.implementations) offers.push_back({&fake_, one});
    LayerAnswer answer;
    answer.timings = bench_.Measure(request.spec, Target(), offers, request.options,
                                    request.data_seed, [&](BenchStage stage, size_t offer) {
                                      progress(BodyOf(LayerProgress{stage, offer}));
                                    });
    return BodyOf(answer);
  }

 private:
  HostEnvironment host_;
  ReferenceWork work_;
  CacheSweep sweep_{{0}, 1 << 12};
  PrimitiveList list_;
  FakePrimitive fake_;
  Measurer measurer_;
  LayerBench bench_;
};

void Serve(const std::string& mode) {
  MessageChannel peer(kSocket);
  std::vector<std::unique_ptr<RequestHandler>> handlers;
  HostEnvironment host;
  const PrimitiveList primitives = mode == "plans" ? FakePrimitives() : PrimitiveList::All();
  FakeLayers layers;
  if (mode == "real" || mode == "plans") {
    handlers = AllRequests({host, primitives, {{"test", "1"}}});
  } else {
    handlers.push_back(Handler("echo", [](const std::string& body, const auto&) { return body; }));
    handlers.push_back(Handler("misbehave", Misbehave));
    handlers.push_back(
        Handler("identity", [](const std::string&, const auto&) { return Identity(); }));
    handlers.push_back(Handler("measure_layer", [&](const std::string& body, const auto& progress) {
      if (mode == "liar") return std::string("{\"timings\":[]}");
      return layers.Answer(body, progress);
    }));
  }
  ServeRequests(peer, handlers, "faulty 1");
}

}  // namespace
}  // namespace fettle

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "sound";
  if (mode == "mute") fettle::Hang();
  if (mode == "exit") return 7;
  if (mode == "nonsense") fettle::SendRaw("Hello, world!\n");
  if (mode == "old") fettle::SendRaw("fettle/0 1 answer 0\n");
  try {
    fettle::Serve(mode);
  } catch (const fettle::Error&) {
    return static_cast<int>(fettle::ErrorKind::kDevice);
  }
  return 0;
}

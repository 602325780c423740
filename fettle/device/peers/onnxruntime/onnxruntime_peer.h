#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/tensor.h"

namespace fettle {

class ChildProcess;
class MessageWriter;
class OnnxRuntimeSession;

// Where the peer is and how long it may take.
struct OnnxRuntimePeerOptions {
  std::filesystem::path script;                // tools/onnxruntime/peer.mjs, once installed
  std::string node = "node";                   // the program that runs it, looked for on PATH
  std::chrono::milliseconds timeout{120'000};  // for any one request
};

// How far ONNX Runtime rewrites the graph before it runs it.
enum class OnnxRuntimeOptimisation : uint32_t { kNone, kBasic, kExtended, kAll };

struct OnnxRuntimeSessionOptions {
  int threads = 1;
  OnnxRuntimeOptimisation optimisation = OnnxRuntimeOptimisation::kAll;
};

// ONNX Runtime in a process of its own (through Node: its package has no C headers): what our
// results are held against in tests, and our speed in `bench --against onnxruntime`. Its threads
// do not spin while they wait. One process serves any number of sessions, one request at a time.
//
// Whatever goes wrong is an Error of kind kDevice. After a failure that ONNX Runtime reports, such
// as a model that it refuses, the peer goes on; where its process stopped or did not answer in
// time, all further requests fail with the same message. Not thread-safe.
class OnnxRuntimePeer {
 public:
  explicit OnnxRuntimePeer(OnnxRuntimePeerOptions options);
  ~OnnxRuntimePeer();

  const std::string& version() const { return version_; }  // of ONNX Runtime, such as "1.30.0"
  int process_id() const;                                  // -1 once it has stopped

  // For requests from now on.
  void set_timeout(std::chrono::milliseconds timeout) { options_.timeout = timeout; }

  // A model from a file (whose external data is found beside it), or from its bytes. The session
  // must not outlive the peer.
  OnnxRuntimeSession Load(const std::filesystem::path& model,
                          const OnnxRuntimeSessionOptions& options = {});
  OnnxRuntimeSession LoadBytes(std::string_view model,
                               const OnnxRuntimeSessionOptions& options = {});

  // Milliseconds of each of `runs` runs of a model that copies one number: what the binding itself
  // takes, which is to be taken off the times of other models.
  std::vector<double> TimeBinding(int warmups, int runs);

 private:
  friend class OnnxRuntimeSession;

  // The body of the answer; `bulk` is sent behind the request's body.
  std::string Call(const MessageWriter& request, std::string_view bulk = {});
  OnnxRuntimeSession OpenSession(const MessageWriter& request, std::string_view bulk);

  OnnxRuntimePeerOptions options_;
  std::unique_ptr<ChildProcess> process_;
  std::string version_;
};

// A model loaded by the peer, released when this object goes.
class OnnxRuntimeSession {
 public:
  OnnxRuntimeSession(OnnxRuntimeSession&& other) noexcept;
  OnnxRuntimeSession& operator=(OnnxRuntimeSession&&) = delete;
  ~OnnxRuntimeSession();

  // The model's inputs that are not initialised, and its outputs, in its order.
  const std::vector<std::string>& inputs() const { return inputs_; }
  const std::vector<std::string>& outputs() const { return outputs_; }

  // The outputs for these inputs, which stand in the order of inputs().
  std::vector<Tensor> Run(std::span<const Tensor> inputs);

  // Milliseconds of wall time that each of `runs` runs took, the binding's overhead included, after
  // so many that are not counted.
  std::vector<double> Time(std::span<const Tensor> inputs, int warmups, int runs);

 private:
  friend class OnnxRuntimePeer;
  OnnxRuntimeSession() = default;
  void AddInputs(std::span<const Tensor> inputs, MessageWriter* request) const;

  OnnxRuntimePeer* peer_ = nullptr;
  uint32_t id_ = 0;
  std::vector<std::string> inputs_;
  std::vector<std::string> outputs_;
};

}  // namespace fettle

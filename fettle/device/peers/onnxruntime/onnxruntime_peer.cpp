#include "fettle/device/peers/onnxruntime/onnxruntime_peer.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/device/peers/onnxruntime/child_process.h"
#include "fettle/device/peers/onnxruntime/message.h"

namespace fettle {
namespace {

constexpr uint32_t kMagic = 0x314b5446;
constexpr size_t kHeaderBytes = 12;
constexpr size_t kChunk = size_t{16} << 20;

enum Request : uint32_t {
  kVersion,
  kLoadPath,
  kLoadBytes,
  kRun,
  kTime,
  kTimeBinding,
  kRelease,
};

std::string Header(size_t body_bytes) {
  return MessageWriter().U32(kMagic).I64(static_cast<int64_t>(body_bytes)).bytes();
}

uint32_t Count(int number) {
  assert(number >= 0);
  return static_cast<uint32_t>(number);
}

// An answer that is not what the protocol says is a fault of the peer, or not our peer at all.
template <typename T>
T Expect(std::optional<T> value) {
  if (!value) throw Error(ErrorKind::kDevice, "the ONNX Runtime peer gave a malformed answer");
  return *std::move(value);
}

MessageWriter LoadRequest(Request kind, const OnnxRuntimeSessionOptions& options) {
  MessageWriter request;
  request.U32(kind).U32(Count(options.threads)).U32(static_cast<uint32_t>(options.optimisation));
  return request;
}

}  // namespace

OnnxRuntimePeer::OnnxRuntimePeer(OnnxRuntimePeerOptions options) : options_(std::move(options)) {
  try {
    process_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{options_.node, options_.script.native()});
    version_ = Expect(MessageReader(Call(MessageWriter().U32(kVersion))).Text());
  } catch (const Error& error) {
    throw Error(error.kind(), Text("ONNX Runtime cannot be started: ", error.what(),
                                   "; tools/install_peer installs it"));
  }
}

OnnxRuntimePeer::~OnnxRuntimePeer() = default;

int OnnxRuntimePeer::process_id() const { return process_->pid(); }

OnnxRuntimeSession OnnxRuntimePeer::Load(const std::filesystem::path& model,
                                         const OnnxRuntimeSessionOptions& options) {
  MessageWriter request = LoadRequest(kLoadPath, options);
  return OpenSession(request.Text(std::filesystem::absolute(model).native()), {});
}

OnnxRuntimeSession OnnxRuntimePeer::LoadBytes(std::string_view model,
                                              const OnnxRuntimeSessionOptions& options) {
  return OpenSession(LoadRequest(kLoadBytes, options), model);
}

OnnxRuntimeSession OnnxRuntimePeer::OpenSession(const MessageWriter& request,
                                                std::string_view bulk) {
  const std::string answer = Call(request, bulk);
  MessageReader reader(answer);
  OnnxRuntimeSession session;
  session.id_ = Expect(reader.U32());
  session.peer_ = this;
  session.inputs_ = Expect(reader.Texts());
  session.outputs_ = Expect(reader.Texts());
  return session;
}

std::vector<double> OnnxRuntimePeer::TimeBinding(int warmups, int runs) {
  const std::string answer =
      Call(MessageWriter().U32(kTimeBinding).U32(Count(warmups)).U32(Count(runs)));
  return Expect(MessageReader(answer).Doubles());
}

std::string OnnxRuntimePeer::Call(const MessageWriter& request, std::string_view bulk) {
  const auto deadline = std::chrono::steady_clock::now() + options_.timeout;
  process_->Send(Header(request.bytes().size() + bulk.size()), deadline);
  process_->Send(request.bytes(), deadline);
  process_->Send(bulk, deadline);

  std::string header(kHeaderBytes, '\0');
  process_->Receive(header.data(), header.size(), deadline);
  MessageReader fields(header);
  if (fields.U32() != kMagic) process_->Fail("it does not speak the peer's protocol");
  const auto length = static_cast<uint64_t>(Expect(fields.I64()));
  std::string body;
  while (body.size() < length) {  // memory grows with what has come, not with what was announced
    const size_t start = body.size();
    body.resize(start + static_cast<size_t>(std::min<uint64_t>(length - start, kChunk)));
    process_->Receive(body.data() + start, body.size() - start, deadline);
  }

  MessageReader reader(body);
  if (Expect(reader.U32()) == 0) return body.substr(sizeof(uint32_t));
  throw Error(ErrorKind::kDevice, Text("ONNX Runtime: ", Expect(reader.Text())));
}

OnnxRuntimeSession::OnnxRuntimeSession(OnnxRuntimeSession&& other) noexcept
    : peer_(std::exchange(other.peer_, nullptr)),
      id_(other.id_),
      inputs_(std::move(other.inputs_)),
      outputs_(std::move(other.outputs_)) {}

OnnxRuntimeSession::~OnnxRuntimeSession() {
  if (peer_ == nullptr || peer_->process_id() < 0) return;
  try {
    peer_->Call(MessageWriter().U32(kRelease).U32(id_));
  } catch (const Error&) {
    // The process has stopped, and the session with it; the next request will say so.
  }
}

void OnnxRuntimeSession::AddInputs(std::span<const Tensor> inputs, MessageWriter* request) const {
  if (inputs.size() != inputs_.size()) {
    throw Error(ErrorKind::kDevice, Text("ONNX Runtime: the model has ", inputs_.size(),
                                         " inputs, not ", inputs.size()));
  }
  request->U32(static_cast<uint32_t>(inputs.size()));
  for (size_t i = 0; i < inputs.size(); ++i) request->Values(inputs_[i], inputs[i]);
}

std::vector<Tensor> OnnxRuntimeSession::Run(std::span<const Tensor> inputs) {
  MessageWriter request;
  request.U32(kRun).U32(id_);
  AddInputs(inputs, &request);
  const std::string answer = peer_->Call(request);
  MessageReader reader(answer);
  std::vector<Tensor> outputs;
  for (uint32_t left = Expect(reader.U32()); left > 0; --left) {
    outputs.push_back(Expect(reader.Values()));
  }
  return outputs;
}

std::vector<double> OnnxRuntimeSession::Time(std::span<const Tensor> inputs, int warmups,
                                             int runs) {
  MessageWriter request;
  request.U32(kTime).U32(id_).U32(Count(warmups)).U32(Count(runs));
  AddInputs(inputs, &request);
  return Expect(MessageReader(peer_->Call(request)).Doubles());
}

}  // namespace fettle

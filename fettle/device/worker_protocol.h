#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/core/fingerprint.h"
#include "fettle/core/layer_spec.h"
#include "fettle/device/layer_bench.h"
#include "fettle/device/preflight.h"
#include "fettle/device/timing.h"
#include "fettle/primitives/primitive.h"

// The bodies of the worker's messages, as structs and as text (JSON; docs/worker_protocol.md). A
// Parse function throws Error (kDevice) where the text is no such body.

namespace fettle {

// Kinds of replies. A request has any number of progress messages and then one of the other two.
inline constexpr std::string_view kAnswerKind = "answer";
inline constexpr std::string_view kErrorKind = "error";
inline constexpr std::string_view kProgressKind = "progress";

// Kinds of requests that the worker's loop answers itself; the others are in request_list.h.
inline constexpr std::string_view kHelloKind = "hello";  // answered with the worker's software
inline constexpr std::string_view kQuitKind = "quit";    // not answered

inline constexpr std::string_view kDescribeKind = "describe";
struct DescribeRequest {
  int threads = 1;
  friend bool operator==(const DescribeRequest&, const DescribeRequest&) = default;
};
struct Description {
  Fingerprint fingerprint;
  Preflight preflight;
  friend bool operator==(const Description&, const Description&) = default;
};

inline constexpr std::string_view kMeasureLayerKind = "measure_layer";
struct LayerRequest {
  LayerSpec spec;
  std::vector<Implementation> implementations;  // measured against one another
  int threads = 1;
  TimingOptions options;
  uint64_t data_seed = 1;
  friend bool operator==(const LayerRequest&, const LayerRequest&) = default;
};
struct LayerAnswer {
  std::vector<Timing> timings;            // one for each implementation, in order
  std::optional<int64_t> resident_bytes;  // of the worker before it prepared anything
  std::optional<int64_t> peak_bytes;      // of the worker, at most, until the answer
  friend bool operator==(const LayerAnswer&, const LayerAnswer&) = default;
};
struct LayerProgress {
  BenchStage stage = BenchStage::kPreparing;
  size_t implementation = 0;
  friend bool operator==(const LayerProgress&, const LayerProgress&) = default;
};

struct WorkerError {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;
  friend bool operator==(const WorkerError&, const WorkerError&) = default;
};

std::string BodyOf(const DescribeRequest& request);
std::string BodyOf(const Description& description);
std::string BodyOf(const LayerRequest& request);
std::string BodyOf(const LayerAnswer& answer);
std::string BodyOf(const LayerProgress& progress);
std::string BodyOf(const WorkerError& error);

DescribeRequest ParseDescribeRequest(std::string_view body);
Description ParseDescription(std::string_view body);
LayerRequest ParseLayerRequest(std::string_view body);  // a sound one: spec, threads, options
LayerAnswer ParseLayerAnswer(std::string_view body);
LayerProgress ParseLayerProgress(std::string_view body);
WorkerError ParseWorkerError(std::string_view body);

}  // namespace fettle

// Every struct of the protocol to JSON and back: one file, though a long one, so that the checked
// reading of fields needs no header that includes the JSON library.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "fettle/core/layer_check.h"
#include "fettle/device/plan_protocol.h"
#include "fettle/device/worker_protocol.h"

namespace fettle {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::nanoseconds;

constexpr int kMostThreads = 1024;

Error Fault(const std::string& what) { return {ErrorKind::kDevice, "the peer's message: " + what}; }

// What could not be sent as UTF-8 (a path, a library's words) is replaced, not refused.
std::string Dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// ---- single fields ----

const Json& Field(const Json& json, const char* name) {
  const auto field = json.is_object() ? json.find(name) : json.end();
  if (!json.is_object() || field == json.end()) throw Fault(Text("'", name, "' is missing"));
  return *field;
}

template <typename Integer>
Integer IntegerFrom(const Json& json, const char* name, Integer low, Integer high) {
  const bool fits = json.is_number_unsigned()
                        ? json.get<uint64_t>() <= static_cast<uint64_t>(high) &&
                              (low <= 0 || json.get<uint64_t>() >= static_cast<uint64_t>(low))
                        : json.is_number_integer() && std::is_signed_v<Integer> &&
                              json.get<int64_t>() >= static_cast<int64_t>(low) &&
                              json.get<int64_t>() <= static_cast<int64_t>(high);
  if (!fits) throw Fault(Text("'", name, "' is no integer from ", low, " to ", high));
  return json.get<Integer>();
}

template <typename T>
T ValueFrom(const Json& json, const char* name) {
  if constexpr (std::is_same_v<T, bool>) {
    if (json.is_boolean()) return json.get<bool>();
    throw Fault(Text("'", name, "' is no truth value"));
  } else if constexpr (std::is_integral_v<T>) {
    return IntegerFrom<T>(json, name, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
  } else if constexpr (std::is_same_v<T, double>) {
    if (json.is_number()) return json.get<double>();
    throw Fault(Text("'", name, "' is no number"));
  } else {
    static_assert(std::is_same_v<T, std::string>);
    if (json.is_string()) return json.get<std::string>();
    throw Fault(Text("'", name, "' is no string"));
  }
}

template <typename T>
void Read(const Json& json, const char* name, T* value) {
  *value = ValueFrom<T>(Field(json, name), name);
}

template <typename T>
void Read(const Json& json, const char* name, std::optional<T>* value) {
  const auto field = json.find(name);
  if (field != json.end()) *value = ValueFrom<T>(*field, name);
}

template <typename T>
void Write(const char* name, const std::optional<T>& value, Json* json) {
  if (value) (*json)[name] = *value;
}

const Json& ArrayFrom(const Json& json, const char* name) {
  const Json& field = Field(json, name);
  if (!field.is_array()) throw Fault(Text("'", name, "' is no list"));
  return field;
}

template <typename T>
void Read(const Json& json, const char* name, std::vector<T>* values) {
  for (const Json& value : ArrayFrom(json, name)) values->push_back(ValueFrom<T>(value, name));
}

void Read(const Json& json, const char* name, std::optional<Interval>* value) {
  if (json.find(name) == json.end()) return;
  std::vector<double> numbers;
  Read(json, name, &numbers);
  if (numbers.size() != 3) throw Fault(Text("'", name, "' is no interval"));
  *value = Interval{numbers[0], numbers[1], numbers[2]};
}

// A name that stands for a value, by the function that knows the names.
template <typename Parse>
auto NamedFrom(const Json& json, const char* name, const Parse& parse) {
  const auto text = ValueFrom<std::string>(json, name);
  auto value = parse(text);
  if (!value) throw Fault(Text("'", text.substr(0, 200), "' is no ", name));
  return *std::move(value);
}

// ---- parts ----

Json ToJson(const Implementation& implementation) {
  Json json = {{"name", implementation.name}, {"version", implementation.version}};
  json["inputs"] = Json::array();
  for (const Layout layout : implementation.inputs) json["inputs"].push_back(NameOf(layout));
  json["output"] = NameOf(implementation.output);
  Write("in_place_input", implementation.in_place_input, &json);
  return json;
}

Implementation ImplementationFrom(const Json& json) {
  Implementation implementation;
  Read(json, "name", &implementation.name);
  Read(json, "version", &implementation.version);
  for (const Json& layout : ArrayFrom(json, "inputs")) {
    implementation.inputs.push_back(NamedFrom(layout, "layout", ParseLayout));
  }
  implementation.output = NamedFrom(Field(json, "output"), "layout", ParseLayout);
  Read(json, "in_place_input", &implementation.in_place_input);
  return implementation;
}

Json ToJson(const TimingOptions& options) {
  return {{"mode", NameOf(options.mode)},
          {"relative_width", options.relative_width},
          {"min_samples", options.min_samples},
          {"max_rounds", options.max_rounds},
          {"contender_budget_ns", options.contender_budget.count()},
          {"warm_up_budget_ns", options.warm_up_budget.count()},
          {"min_batch_ns", options.min_batch.count()},
          {"min_ticks", options.min_ticks},
          {"max_drift", options.max_drift},
          {"seed", options.seed}};
}

nanoseconds TimeFrom(const Json& json, const char* name) {
  constexpr int64_t kLongest = std::chrono::nanoseconds(std::chrono::hours(24)).count();
  return nanoseconds(IntegerFrom<int64_t>(Field(json, name), name, 0, kLongest));
}

int CountFrom(const Json& json, const char* name) {
  return IntegerFrom<int>(Field(json, name), name, 1, 1'000'000);
}

TimingOptions OptionsFrom(const Json& json) {
  TimingOptions options;
  options.mode = NamedFrom(Field(json, "mode"), "mode", ParseCacheMode);
  Read(json, "relative_width", &options.relative_width);
  options.min_samples = CountFrom(json, "min_samples");
  options.max_rounds = CountFrom(json, "max_rounds");
  options.contender_budget = TimeFrom(json, "contender_budget_ns");
  options.warm_up_budget = TimeFrom(json, "warm_up_budget_ns");
  options.min_batch = TimeFrom(json, "min_batch_ns");
  options.min_ticks = CountFrom(json, "min_ticks");
  Read(json, "max_drift", &options.max_drift);
  Read(json, "seed", &options.seed);
  return options;
}

Json ToJson(const Interval& interval) { return {interval.value, interval.low, interval.high}; }

Json ToJson(const Timing& timing) {
  Json json = {{"measurement", MeasurementText(timing.measurement)}};
  Write("waited_ms", timing.waited_ms, &json);
  if (timing.undisturbed_ms) json["undisturbed_ms"] = ToJson(*timing.undisturbed_ms);
  return json;
}

Timing TimingFrom(const Json& json) {
  Timing timing;
  timing.measurement = NamedFrom(Field(json, "measurement"), "measurement", ParseMeasurement);
  Read(json, "waited_ms", &timing.waited_ms);
  Read(json, "undisturbed_ms", &timing.undisturbed_ms);
  return timing;
}

Json ToJson(const Fingerprint& fingerprint) {
  return {{"cpu_model", fingerprint.cpu_model},
          {"isa", fingerprint.isa},
          {"cores", fingerprint.cores},
          {"cache_bytes", fingerprint.cache_bytes},
          {"memory_bytes", fingerprint.memory_bytes},
          {"system", fingerprint.system},
          {"governor", fingerprint.governor},
          {"libraries", fingerprint.libraries}};
}

Fingerprint FingerprintFrom(const Json& json) {
  Fingerprint fingerprint;
  Read(json, "cpu_model", &fingerprint.cpu_model);
  Read(json, "isa", &fingerprint.isa);
  Read(json, "cores", &fingerprint.cores);
  Read(json, "cache_bytes", &fingerprint.cache_bytes);
  Read(json, "memory_bytes", &fingerprint.memory_bytes);
  Read(json, "system", &fingerprint.system);
  Read(json, "governor", &fingerprint.governor);
  const Json& libraries = Field(json, "libraries");
  if (!libraries.is_object()) throw Fault("'libraries' is no object");
  for (const auto& [name, version] : libraries.items()) {
    fingerprint.libraries[name] = ValueFrom<std::string>(version, "libraries");
  }
  return fingerprint;
}

// Calls visit(name, member) for what of a preflight a machine may not tell.
template <typename AnyPreflight, typename Visit>
void VisitOptional(AnyPreflight& preflight, const Visit& visit) {
  visit("cpu_limit", preflight.cpu_limit);
  visit("mhz", preflight.mhz);
  visit("highest_mhz", preflight.highest_mhz);
  visit("boosts", preflight.boosts);
  visit("throttle_events", preflight.throttle_events);
  visit("throttle_bits", preflight.throttle_bits);
  visit("temperature_c", preflight.temperature_c);
  visit("load", preflight.load);
  visit("available_bytes", preflight.available_bytes);
}

Json ToJson(const Preflight& preflight) {
  Json json = {
      {"threads", preflight.threads}, {"cpus", preflight.cpus}, {"governor", preflight.governor}};
  VisitOptional(preflight, [&](const char* name, const auto& value) { Write(name, value, &json); });
  return json;
}

Preflight PreflightFrom(const Json& json) {
  Preflight preflight;
  Read(json, "threads", &preflight.threads);
  Read(json, "cpus", &preflight.cpus);
  Read(json, "governor", &preflight.governor);
  VisitOptional(preflight, [&](const char* name, auto& value) { Read(json, name, &value); });
  return preflight;
}

template <typename Reader>
auto Parsed(std::string_view body, const Reader& reader) {
  const Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) throw Fault("the body is no JSON object");
  return reader(json);
}

int ThreadsFrom(const Json& json) {
  return IntegerFrom<int>(Field(json, "threads"), "threads", 1, kMostThreads);
}

std::string_view NameOf(BenchStage stage) {
  return stage == BenchStage::kMeasuring ? "measuring" : "preparing";
}

BenchStage StageFrom(const Json& json) {
  const auto name = ValueFrom<std::string>(Field(json, "stage"), "stage");
  for (const BenchStage stage : {BenchStage::kPreparing, BenchStage::kMeasuring}) {
    if (name == NameOf(stage)) return stage;
  }
  throw Fault("'stage' is unknown");
}

}  // namespace

std::string BodyOf(const DescribeRequest& request) {
  return Dumped({{"threads", request.threads}});
}

std::string BodyOf(const Description& description) {
  return Dumped({{"fingerprint", ToJson(description.fingerprint)},
                 {"preflight", ToJson(description.preflight)}});
}

std::string BodyOf(const LayerRequest& request) {
  Json implementations = Json::array();
  for (const Implementation& one : request.implementations) implementations.push_back(ToJson(one));
  return Dumped({{"spec", KeyOf(request.spec).text},
                 {"implementations", std::move(implementations)},
                 {"threads", request.threads},
                 {"options", ToJson(request.options)},
                 {"data_seed", request.data_seed}});
}

std::string BodyOf(const LayerAnswer& answer) {
  Json json = {{"timings", Json::array()}};
  for (const Timing& timing : answer.timings) json["timings"].push_back(ToJson(timing));
  Write("resident_bytes", answer.resident_bytes, &json);
  Write("peak_bytes", answer.peak_bytes, &json);
  return Dumped(json);
}

std::string BodyOf(const LayerProgress& progress) {
  return Dumped({{"stage", NameOf(progress.stage)}, {"implementation", progress.implementation}});
}

std::string BodyOf(const WorkerError& error) {
  return Dumped({{"kind", static_cast<int>(error.kind)}, {"message", error.message}});
}

DescribeRequest ParseDescribeRequest(std::string_view body) {
  return Parsed(body, [](const Json& json) { return DescribeRequest{ThreadsFrom(json)}; });
}

Description ParseDescription(std::string_view body) {
  return Parsed(body, [](const Json& json) {
    return Description{FingerprintFrom(Field(json, "fingerprint")),
                       PreflightFrom(Field(json, "preflight"))};
  });
}

LayerRequest ParseLayerRequest(std::string_view body) {
  return Parsed(body, [](const Json& json) {
    LayerRequest request;
    request.spec = NamedFrom(Field(json, "spec"), "layer", ParseLayerSpec);
    if (auto fault = FaultOf(request.spec)) throw Fault("the layer is impossible: " + *fault);
    for (const Json& one : ArrayFrom(json, "implementations")) {
      request.implementations.push_back(ImplementationFrom(one));
    }
    request.threads = ThreadsFrom(json);
    request.options = OptionsFrom(Field(json, "options"));
    Read(json, "data_seed", &request.data_seed);
    return request;
  });
}

LayerAnswer ParseLayerAnswer(std::string_view body) {
  return Parsed(body, [](const Json& json) {
    LayerAnswer answer;
    for (const Json& timing : ArrayFrom(json, "timings")) {
      answer.timings.push_back(TimingFrom(timing));
    }
    Read(json, "resident_bytes", &answer.resident_bytes);
    Read(json, "peak_bytes", &answer.peak_bytes);
    return answer;
  });
}

LayerProgress ParseLayerProgress(std::string_view body) {
  return Parsed(body, [](const Json& json) {
    LayerProgress progress;
    progress.stage = StageFrom(json);
    Read(json, "implementation", &progress.implementation);
    return progress;
  });
}

WorkerError ParseWorkerError(std::string_view body) {
  return Parsed(body, [](const Json& json) {
    WorkerError error;
    error.kind = static_cast<ErrorKind>(IntegerFrom<int>(Field(json, "kind"), "kind", 1, 5));
    Read(json, "message", &error.message);
    return error;
  });
}

// ---- measure_plans ----

std::string BodyOf(const PlansRequest& request) {
  return Dumped({{"folders", request.folders},
                 {"threads", request.threads},
                 {"options", ToJson(request.options)},
                 {"wants_steps", request.wants_steps},
                 {"data_seed", request.data_seed}});
}

PlansRequest ParsePlansRequest(std::string_view body) {
  return Parsed(body, [](const Json& json) {
    PlansRequest request;
    for (const Json& folder : ArrayFrom(json, "folders")) {
      request.folders.push_back(ValueFrom<std::string>(folder, "folders"));
    }
    request.threads = IntegerFrom<int>(Field(json, "threads"), "threads", 0, kMostThreads);
    request.options = OptionsFrom(Field(json, "options"));
    Read(json, "wants_steps", &request.wants_steps);
    Read(json, "data_seed", &request.data_seed);
    return request;
  });
}

std::string BodyOf(const PlanProgress& progress) {
  return Dumped({{"stage", NameOf(progress.stage)}, {"plan", progress.plan}});
}

PlanProgress ParsePlanProgress(std::string_view body) {
  return Parsed(body, [](const Json& json) {
    PlanProgress progress;
    progress.stage = StageFrom(json);
    Read(json, "plan", &progress.plan);
    return progress;
  });
}

std::string BodyOf(const PlansAnswer& answer) {
  Json plans = Json::array();
  for (const PlanTiming& plan : answer.plans) {
    Json json = {{"timing", ToJson(plan.timing)},
                 {"arena_bytes", plan.arena_bytes},
                 {"input_output_bytes", plan.input_output_bytes},
                 {"weight_bytes", plan.weight_bytes}};
    Write("measured_bytes", plan.measured_bytes, &json);
    Write("loading_bytes", plan.loading_bytes, &json);
    json["steps"] = Json::array();
    for (const StepTiming& step : plan.steps) {
      json["steps"].push_back({{"layer", step.layer},
                               {"implementation", step.implementation},
                               {"ms", step.ms},
                               {"samples_ms", step.samples_ms}});
    }
    plans.push_back(std::move(json));
  }
  return Dumped({{"plans", plans}});
}

PlansAnswer ParsePlansAnswer(std::string_view body) {
  return Parsed(body, [](const Json& json) {
    PlansAnswer answer;
    for (const Json& entry : ArrayFrom(json, "plans")) {
      PlanTiming plan;
      plan.timing = TimingFrom(Field(entry, "timing"));
      Read(entry, "arena_bytes", &plan.arena_bytes);
      Read(entry, "input_output_bytes", &plan.input_output_bytes);
      Read(entry, "weight_bytes", &plan.weight_bytes);
      Read(entry, "measured_bytes", &plan.measured_bytes);
      Read(entry, "loading_bytes", &plan.loading_bytes);
      for (const Json& timed : ArrayFrom(entry, "steps")) {
        StepTiming step;
        Read(timed, "layer", &step.layer);
        Read(timed, "implementation", &step.implementation);
        Read(timed, "ms", &step.ms);
        Read(timed, "samples_ms", &step.samples_ms);
        plan.steps.push_back(std::move(step));
      }
      answer.plans.push_back(std::move(plan));
    }
    return answer;
  });
}

// ---- measure_energy ----

std::string BodyOf(const EnergyRequest& request) {
  return Dumped({{"folders", request.folders},
                 {"threads", request.threads},
                 {"window_ns", request.options.window.count()},
                 {"min_updates", request.options.min_updates},
                 {"trials", request.options.trials},
                 {"seed", request.options.seed},
                 {"data_seed", request.data_seed}});
}

EnergyRequest ParseEnergyRequest(std::string_view body) {
  return Parsed(body, [](const Json& json) {
    EnergyRequest request;
    Read(json, "folders", &request.folders);
    request.threads = IntegerFrom<int>(Field(json, "threads"), "threads", 0, kMostThreads);
    request.options.window = std::max(TimeFrom(json, "window_ns"), nanoseconds(1));
    request.options.min_updates = CountFrom(json, "min_updates");
    request.options.trials =
        IntegerFrom<int>(Field(json, "trials"), "trials", kFewestEnergyTrials, 1'000'000);
    Read(json, "seed", &request.options.seed);
    Read(json, "data_seed", &request.data_seed);
    return request;
  });
}

std::string BodyOf(const EnergyAnswer& answer) {
  Json plans = Json::array();
  for (const Energy& energy : answer.plans) {
    plans.push_back({{"total_mj", ToJson(energy.total_mj)},
                     {"active_mj", ToJson(energy.active_mj)},
                     {"idle_w", ToJson(energy.idle_w)},
                     {"runs", energy.runs},
                     {"meter", energy.meter},
                     {"failure", energy.failure}});
  }
  return Dumped({{"plans", plans}});
}

EnergyAnswer ParseEnergyAnswer(std::string_view body) {
  return Parsed(body, [](const Json& json) {
    const auto interval = [](const Json& entry, const char* name) {
      std::optional<Interval> value;
      Read(entry, name, &value);
      return value.value_or(Interval());
    };
    EnergyAnswer answer;
    for (const Json& entry : ArrayFrom(json, "plans")) {
      Energy energy;
      energy.total_mj = interval(entry, "total_mj");
      energy.active_mj = interval(entry, "active_mj");
      energy.idle_w = interval(entry, "idle_w");
      Read(entry, "runs", &energy.runs);
      Read(entry, "meter", &energy.meter);
      Read(entry, "failure", &energy.failure);
      answer.plans.push_back(std::move(energy));
    }
    return answer;
  });
}

}  // namespace fettle

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/core/fnv1a.h"
#include "fettle/runtime/plan_check.h"
#include "fettle/runtime/plan_file.h"

namespace fettle {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;
constexpr size_t kAlignment = 64;
constexpr const char* kPlanFile = "plan.json";
constexpr const char* kWeightsFile = "weights.bin";

// Tells a mixed-up or damaged folder, not a forged one.
uint64_t Checksum(std::string_view bytes) {
  Fnv1a hash;
  hash.AddBytes(bytes);
  return hash.value();
}

// ---- writing ----

class WeightsWriter {
 public:
  // Where the tensor's values stand; a tensor shared by several steps is written once.
  Json Add(const std::shared_ptr<const Tensor>& tensor) {
    const auto [entry, is_new] = offsets_.try_emplace(tensor.get(), bytes_.size());
    if (is_new) {
      bytes_ += AsText({tensor->bytes(), tensor->num_bytes()});
      bytes_.resize((bytes_.size() + kAlignment - 1) / kAlignment * kAlignment);
    }
    return {{"type", TypeText(tensor->type())}, {"offset", entry->second}};
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::map<const Tensor*, size_t> offsets_;
  std::string bytes_;
};

Json ToJson(const Implementation& implementation) {
  Json json = {{"name", implementation.name}, {"version", implementation.version}};
  json["inputs"] = Json::array();
  for (const Layout layout : implementation.inputs) json["inputs"].push_back(NameOf(layout));
  json["output"] = NameOf(implementation.output);
  if (implementation.in_place_input) json["in_place_input"] = *implementation.in_place_input;
  return json;
}

Json ToJson(const Plan& plan, WeightsWriter* weights) {
  Json tensors = Json::array(), steps = Json::array();
  for (const PlanTensor& tensor : plan.tensors) {
    Json json = {
        {"name", tensor.name}, {"type", TypeText(tensor.type)}, {"layout", NameOf(tensor.layout)}};
    if (tensor.constant) json["constant"] = weights->Add(tensor.constant);
    tensors.push_back(std::move(json));
  }
  for (const PlanStep& step : plan.steps) {
    Json json = {{"layer", step.layer},
                 {"spec", KeyOf(step.spec).text},
                 {"implementation", ToJson(step.implementation)},
                 {"inputs", step.inputs},
                 {"output", step.output}};
    json["weights"] = Json::array();
    for (const auto& weight : step.weights) json["weights"].push_back(weights->Add(weight));
    steps.push_back(std::move(json));
  }
  return {{"schema", kSchema},       {"threads", plan.threads}, {"inputs", plan.inputs},
          {"outputs", plan.outputs}, {"tensors", tensors},      {"steps", steps}};
}

// ---- reading ----

// Where in the file a fault is, for its message: "plan.json: steps[3]: ...".
class PlanReader {
 public:
  PlanReader(std::filesystem::path file, std::string weights)
      : file_(std::move(file)), weights_(std::move(weights)) {}

  Plan Read(const Json& json) {
    Plan plan;
    plan.threads = json.at("threads").get<int>();
    plan.inputs = json.at("inputs").get<std::vector<int>>();
    plan.outputs = json.at("outputs").get<std::vector<int>>();
    size_t index = 0;
    for (const Json& tensor : json.at("tensors")) {
      place_ = Text("tensors[", index++, "]");
      plan.tensors.push_back(ReadTensor(tensor));
    }
    index = 0;
    for (const Json& step : json.at("steps")) {
      place_ = Text("steps[", index++, "]");
      plan.steps.push_back(ReadStep(step));
    }
    return plan;
  }

  const std::string& place() const { return place_; }

 private:
  [[noreturn]] void Fail(const std::string& what) const {
    throw BadInput(file_.string(), ": ", place_, ": ", what);
  }

  template <typename T>
  T Parsed(std::optional<T> value, std::string_view what, const std::string& text) const {
    if (!value) Fail(Text("'", text, "' is no ", what));
    return *std::move(value);
  }

  TensorType ReadType(const Json& json) const {
    const auto text = json.get<std::string>();
    return Parsed(ParseType(text), "tensor type", text);
  }

  Layout ReadLayout(const Json& json) const {
    const auto text = json.get<std::string>();
    return Parsed(ParseLayout(text), "layout", text);
  }

  std::shared_ptr<const Tensor> ReadWeight(const Json& json) {
    const TensorType type = ReadType(json.at("type"));
    const auto offset = json.at("offset").get<uint64_t>();
    const std::optional<int64_t> count = CheckedElementCount(type.shape);
    if (!count || *count > static_cast<int64_t>(weights_.size()) || offset > weights_.size() ||
        static_cast<uint64_t>(ByteSize(type)) > weights_.size() - offset) {
      Fail(Text(TypeText(type), " at byte ", offset, " reaches past the end of ", kWeightsFile,
                " (", weights_.size(), " bytes)"));
    }
    const auto [entry, is_new] = known_.try_emplace(std::pair(offset, TypeText(type)));
    if (is_new) {
      auto tensor = std::make_shared<Tensor>(type);
      std::copy_n(weights_.data() + offset, tensor->num_bytes(),
                  reinterpret_cast<char*>(tensor->bytes()));
      entry->second = std::move(tensor);
    }
    return entry->second;
  }

  PlanTensor ReadTensor(const Json& json) {
    PlanTensor tensor;
    tensor.name = json.at("name").get<std::string>();
    tensor.type = ReadType(json.at("type"));
    tensor.layout = ReadLayout(json.at("layout"));
    if (json.contains("constant")) {
      tensor.constant = ReadWeight(json.at("constant"));
      if (tensor.constant->type() != tensor.type) Fail("the constant has another type");
    }
    return tensor;
  }

  Implementation ReadImplementation(const Json& json) const {
    Implementation implementation;
    implementation.name = json.at("name").get<std::string>();
    implementation.version = json.at("version").get<int>();
    for (const Json& layout : json.at("inputs")) {
      implementation.inputs.push_back(ReadLayout(layout));
    }
    implementation.output = ReadLayout(json.at("output"));
    if (json.contains("in_place_input")) {
      implementation.in_place_input = json.at("in_place_input").get<size_t>();
    }
    return implementation;
  }

  PlanStep ReadStep(const Json& json) {
    PlanStep step;
    step.layer = json.at("layer").get<std::string>();
    const auto spec = json.at("spec").get<std::string>();
    step.spec = Parsed(ParseLayerSpec(spec), "layer", spec);
    step.implementation = ReadImplementation(json.at("implementation"));
    step.inputs = json.at("inputs").get<std::vector<int>>();
    step.output = json.at("output").get<int>();
    for (const Json& weight : json.at("weights")) step.weights.push_back(ReadWeight(weight));
    return step;
  }

  std::filesystem::path file_;
  std::string weights_;
  std::string place_ = "the head";
  std::map<std::pair<uint64_t, std::string>, std::shared_ptr<const Tensor>> known_;
};

Json ParsePlanJson(const std::filesystem::path& file) {
  try {
    Json json = Json::parse(ReadFile(file));
    if (!json.is_object() || !json.contains("schema")) {
      throw BadInput(file.string(), ": not a plan of Fettle's");
    }
    const int schema = json.at("schema").get<int>();
    if (schema != kSchema) {
      throw BadInput(file.string(), ": schema ", schema, ", this version reads ", kSchema,
                     "; use the version of Fettle that wrote it, or deploy again");
    }
    return json;
  } catch (const Json::exception& error) {
    throw BadInput(file.string(), ": ", error.what());
  }
}

}  // namespace

void WritePlan(const std::filesystem::path& folder, const Plan& plan, FileLife life) {
  WeightsWriter weights;
  Json json = ToJson(plan, &weights);
  json["weights"] = {{"file", kWeightsFile},
                     {"bytes", weights.bytes().size()},
                     {"fnv1a", Checksum(weights.bytes())}};
  WriteFileAtomically(folder / kWeightsFile, weights.bytes(), life);
  WriteFileAtomically(folder / kPlanFile, json.dump(1) + "\n", life);
}

Plan ReadPlan(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kPlanFile;
  const Json json = ParsePlanJson(file);
  std::string weights = ReadFile(folder / kWeightsFile);
  std::string place = "weights";
  try {
    const Json& written = json.at("weights");
    if (written.at("bytes").get<uint64_t>() != weights.size() ||
        written.at("fnv1a").get<uint64_t>() != Checksum(weights)) {
      throw BadInput((folder / kWeightsFile).string(), ": not the weights that ", kPlanFile,
                     " was written with; deploy again");
    }
    PlanReader reader(file, std::move(weights));
    Plan plan;
    try {
      plan = reader.Read(json);
    } catch (const Json::exception&) {
      place = reader.place();
      throw;
    }
    if (const auto fault = FaultOf(plan)) throw BadInput(file.string(), ": ", *fault);
    return plan;
  } catch (const Json::exception& error) {
    throw BadInput(file.string(), ": ", place, ": ", error.what());
  }
}

}  // namespace fettle

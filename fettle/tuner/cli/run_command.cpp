#include <algorithm>
#include <nlohmann/json.hpp>

#include "fettle/core/error.h"
#include "fettle/core/npy.h"
#include "fettle/runtime/executor.h"
#include "fettle/tuner/cli/commands.h"
#include "fettle/tuner/cli/model_argument.h"
#include "fettle/tuner/cli/options.h"

namespace fettle {
namespace {

constexpr int64_t kMostJsonValues = 1'000'000;

std::vector<double> ValuesOf(const Tensor& tensor) {
  std::vector<double> values;
  const auto append = [&](auto span) { values.assign(span.begin(), span.end()); };
  switch (tensor.dtype()) {
    case DType::kF32:
      append(tensor.values<float>());
      break;
    case DType::kF64:
      append(tensor.values<double>());
      break;
    case DType::kI64:
      append(tensor.values<int64_t>());
      break;
    case DType::kI32:
      append(tensor.values<int32_t>());
      break;
    case DType::kI16:
      append(tensor.values<int16_t>());
      break;
    case DType::kI8:
      append(tensor.values<int8_t>());
      break;
    case DType::kU8:
    case DType::kBool:
      append(tensor.values<uint8_t>());
      break;
    case DType::kF16:
    case DType::kBF16:
      break;
  }
  return values;
}

void PrintJson(const Plan& plan, const std::vector<Tensor>& outputs, Console& console) {
  nlohmann::ordered_json json = {{"schema", 1}};
  json["outputs"] = nlohmann::ordered_json::array();
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].num_elements() > kMostJsonValues) {
      throw Error(ErrorKind::kUsage, Text("output ", i, " has ", outputs[i].num_elements(),
                                          " values; write it with --output FILE.npy"));
    }
    json["outputs"].push_back({{"name", plan.tensors[static_cast<size_t>(plan.outputs[i])].name},
                               {"type", TypeText(outputs[i].type())},
                               {"values", ValuesOf(outputs[i])}});
  }
  console.out() << json.dump() << '\n';
}

// The largest values of each row, which for a classifier is the answer.
void PrintLargest(const std::string& name, const Tensor& output, Console& console) {
  console.out() << name << ' ' << TypeText(output.type()) << '\n';
  const std::vector<double> values = ValuesOf(output);
  if (values.empty()) return;
  const size_t columns = output.shape().empty() ? 1 : static_cast<size_t>(output.shape().back());
  const size_t rows = std::min<size_t>(values.size() / columns, 10);
  for (size_t row = 0; row < rows; ++row) {
    std::vector<size_t> order(columns);
    for (size_t i = 0; i < columns; ++i) order[i] = i;
    const size_t shown = std::min<size_t>(columns, 5);
    std::partial_sort(
        order.begin(), order.begin() + static_cast<ptrdiff_t>(shown), order.end(),
        [&](size_t a, size_t b) { return values[row * columns + a] > values[row * columns + b]; });
    console.out() << "  row " << row << ':';
    for (size_t i = 0; i < shown; ++i) {
      console.out() << "  [" << order[i] << "] " << FixedText(values[row * columns + order[i]], 4);
    }
    console.out() << '\n';
  }
  if (values.size() / columns > rows) {
    console.out() << "  ... " << values.size() / columns - rows << " more rows\n";
  }
}

}  // namespace

int RunRun(std::span<const std::string> arguments, Console& console) {
  Options options("run DIR|MODEL.onnx --input FILE.npy [--output FILE.npy]",
                  "Runs a deployed folder, or an ONNX model with the default primitives, once. A "
                  "model whose batch is open takes the batch of the first input.",
                  {"fettle run models/resnet20.onnx --input image.npy --output logits.npy"});
  options.AddArgument("MODEL", "An ONNX file, or a folder that 'fettle deploy' wrote.");
  options.AddValues("input", "FILE.npy", "An input; repeat it in the model's order.");
  options.AddValues("output", "FILE.npy",
                    "Where to write an output; repeat it in the model's order. Without it the "
                    "largest values of each row are printed.");
  options.AddValue("threads", "N", "Threads (default: 1, or those of the deployed folder).");
  options.AddFlag("json", "Prints all outputs as JSON.");
  if (!options.Parse(arguments)) {
    console.out() << options.Help();
    return 0;
  }
  std::vector<Tensor> inputs;
  for (const std::string& file : options.GetAll("input")) inputs.push_back(ReadNpy(file));
  const bool has_batch = !inputs.empty() && !inputs[0].shape().empty() && inputs[0].shape()[0] > 0;

  const PrimitiveList primitives = PrimitiveList::All();
  Plan plan = LoadPlan(options.Get("MODEL"), has_batch ? inputs[0].shape()[0] : 1,
                       static_cast<int>(options.GetInteger("threads", 1, 1, 1024)), primitives);
  plan.threads = static_cast<int>(options.GetInteger("threads", plan.threads, 1, 1024));
  const Target target = HostTarget(plan.threads);
  Executor executor(std::move(plan), primitives, target);
  const std::vector<Tensor> outputs = executor.Run(inputs);

  const std::vector<std::string> files = options.GetAll("output");
  if (files.size() > outputs.size()) {
    throw Error(ErrorKind::kUsage, Text("--output was given ", files.size(),
                                        " times, the model has ", outputs.size(), " outputs"));
  }
  for (size_t i = 0; i < files.size(); ++i) WriteNpy(files[i], outputs[i]);
  if (options.Has("json")) {
    PrintJson(executor.plan(), outputs, console);
  } else if (files.empty()) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      const auto id = static_cast<size_t>(executor.plan().outputs[i]);
      PrintLargest(executor.plan().tensors[id].name, outputs[i], console);
    }
  }
  return 0;
}

}  // namespace fettle

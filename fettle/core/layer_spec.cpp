#include "fettle/core/layer_spec.h"

#include <bit>
#include <charconv>
#include <utility>

#include "fettle/core/mixed_hash.h"

namespace fettle {
namespace {

std::string TypesText(const std::vector<TensorType>& types) {
  std::string text;
  for (const TensorType& type : types) {
    if (!text.empty()) text += ',';
    text += TypeText(type);
  }
  return text;
}

bool ParseTypes(std::string_view text, std::vector<TensorType>* types) {
  while (true) {
    const size_t end = text.find(',');
    const std::optional<TensorType> type = ParseType(text.substr(0, end));
    if (!type) return false;
    types->push_back(*type);
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

std::string DensityText(double density) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, density).ptr};
}

bool ParseDensity(std::string_view text, double* density) {
  const auto [after, fault] = std::from_chars(text.data(), text.data() + text.size(), *density);
  return fault == std::errc() && after == text.data() + text.size() && *density >= 0 &&
         *density <= 1;
}

bool ParseBlock(std::string_view text, int64_t* block) {
  const auto [after, fault] = std::from_chars(text.data(), text.data() + text.size(), *block);
  return fault == std::errc() && after == text.data() + text.size() && *block > 0;
}

bool ParseActivation(std::string_view word, std::optional<Activation>* activation) {
  const std::optional<Op> op = ParseOp(word);
  if (!op || !std::holds_alternative<Activation>(*op)) return false;
  *activation = std::get<Activation>(*op);
  return true;
}

// One word behind the operator's; false where it is not one of a key.
bool ParseWord(std::string_view word, LayerSpec* spec) {
  const auto value_of = [&](std::string_view name) {
    return word.starts_with(name) ? word.substr(name.size()) : std::string_view();
  };
  if (const auto value = value_of("in="); !value.empty()) return ParseTypes(value, &spec->inputs);
  if (const auto value = value_of("weights="); !value.empty()) {
    return ParseTypes(value, &spec->weights);
  }
  if (const auto value = value_of("out="); !value.empty()) {
    const std::optional<TensorType> type = ParseType(value);
    if (type) spec->output = *type;
    return type.has_value();
  }
  if (const auto value = value_of("density="); !value.empty()) {
    return ParseDensity(value, &spec->density);
  }
  if (const auto value = value_of("sparse_block="); !value.empty()) {
    return ParseBlock(value, &spec->sparse_block);
  }
  if (word == "residual=1") return spec->adds_residual = true;
  return ParseActivation(word, &spec->activation);
}

}  // namespace

LayerKey KeyOf(const LayerSpec& spec) {
  std::string text = OpText(spec.op);
  if (!spec.inputs.empty()) text.append(" in=").append(TypesText(spec.inputs));
  if (!spec.weights.empty()) text.append(" weights=").append(TypesText(spec.weights));
  text.append(" out=").append(TypeText(spec.output));
  if (spec.adds_residual) text.append(" residual=1");
  if (spec.activation) text.append(" ").append(OpText(*spec.activation));
  if (spec.density != 1) text.append(" density=").append(DensityText(spec.density));
  if (spec.sparse_block != 1) {
    text.append(" sparse_block=").append(std::to_string(spec.sparse_block));
  }
  return {std::move(text)};
}

uint64_t HashOf(const LayerSpec& spec) {
  uint64_t hash = HashOf(spec.op);
  const auto take = [&](const TensorType& type) {
    hash = MixedHash(hash, static_cast<uint64_t>(type.dtype));
    for (const int64_t extent : type.shape) hash = MixedHash(hash, static_cast<uint64_t>(extent));
  };
  for (const TensorType& type : spec.inputs) take(type);
  hash = MixedHash(hash, spec.inputs.size());
  for (const TensorType& type : spec.weights) take(type);
  take(spec.output);
  hash = MixedHash(hash, spec.adds_residual);
  hash = MixedHash(hash, static_cast<uint64_t>(spec.sparse_block));
  hash = MixedHash(hash, std::bit_cast<uint64_t>(spec.density + 0.0));  // the same of -0 and 0
  return spec.activation ? MixedHash(hash, HashOf(Op(*spec.activation))) : hash;
}

std::optional<LayerSpec> ParseLayerSpec(std::string_view text) {
  LayerSpec spec;
  const size_t space = text.find(' ');
  const std::optional<Op> op = ParseOp(text.substr(0, space));
  if (!op) return std::nullopt;
  spec.op = *op;
  std::string_view rest = space == std::string_view::npos ? "" : text.substr(space + 1);
  while (!rest.empty()) {
    const size_t end = rest.find(' ');
    if (!ParseWord(rest.substr(0, end), &spec)) return std::nullopt;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  // One key a layer: anything but the canonical text (another order, a word twice) is refused.
  if (KeyOf(spec).text != text) return std::nullopt;
  return spec;
}

bool IsMatrix(const Op& op, size_t weight) {
  if (std::holds_alternative<InvertedResidual>(op)) return weight % 2 == 0;
  return weight == 0 &&
         (std::holds_alternative<Conv>(op) || std::holds_alternative<InnerProduct>(op));
}

int64_t MacsOf(const LayerSpec& spec) {
  const int64_t outputs = ElementCount(spec.output);
  if (const auto* block = std::get_if<InvertedResidual>(&spec.op)) {
    // A matrix's elements are each used once a pixel of what it makes.
    const auto pixels = [](const TensorType& type) {
      return type.shape[1] == 0 ? 0 : ElementCount(type) / type.shape[1];
    };
    const auto weights = [&](size_t index) { return ElementCount(spec.weights.at(index)); };
    const size_t filters = block->expands ? 2 : 0;
    const int64_t expanded = block->expands ? weights(0) * pixels(spec.inputs.at(0)) : 0;
    return expanded + (weights(filters) + weights(filters + 2)) * pixels(spec.output);
  }
  if (std::holds_alternative<Conv>(spec.op) || std::holds_alternative<InnerProduct>(spec.op)) {
    // Each output reads one filter: the weights of one output channel.
    const TensorType& weights = spec.weights.at(0);
    return weights.shape[0] == 0 ? 0 : outputs * (ElementCount(weights) / weights.shape[0]);
  }
  if (std::holds_alternative<MatMul>(spec.op)) return outputs * spec.inputs.at(0).shape.back();
  if (const auto* gemm = std::get_if<Gemm>(&spec.op)) {
    return outputs * spec.inputs.at(0).shape[gemm->transpose_a ? 0 : 1];
  }
  return 0;
}

}  // namespace fettle

#include "fettle/network/onnx/attributes.h"

#include <onnx/onnx.pb.h>

#include <cmath>

#include "fettle/core/error.h"
#include "fettle/network/onnx/names.h"

namespace fettle {

using onnx::AttributeProto;

Attributes::Attributes(const onnx::NodeProto& node) {
  for (const AttributeProto& attribute : node.attribute()) {
    if (!attributes_.emplace(attribute.name(), &attribute).second) {
      throw BadInput("has two attributes ", Quoted(attribute.name()));
    }
    if (!attribute.ref_attr_name().empty()) {
      throw BadInput("attribute ", Quoted(attribute.name()), " refers to a function's");
    }
  }
}

const AttributeProto* Attributes::Find(std::string_view name) const {
  const auto place = attributes_.find(name);
  if (place == attributes_.end()) return nullptr;
  asked_.insert(place->first);
  return place->second;
}

const AttributeProto* Attributes::FindOfType(std::string_view name, int type) const {
  const AttributeProto* attribute = Find(name);
  if (attribute != nullptr && attribute->type() != type) {
    throw BadInput(
        "attribute ", name, " is of type ", attribute->type(), ", expected ", type, " (",
        AttributeProto::AttributeType_Name(static_cast<AttributeProto::AttributeType>(type)), ")");
  }
  return attribute;
}

int64_t Attributes::Int(std::string_view name, int64_t otherwise) const {
  const AttributeProto* attribute = FindOfType(name, AttributeProto::INT);
  return attribute != nullptr ? attribute->i() : otherwise;
}

float Attributes::Float(std::string_view name, float otherwise) const {
  const AttributeProto* attribute = FindOfType(name, AttributeProto::FLOAT);
  const float value = attribute != nullptr ? attribute->f() : otherwise;
  if (std::isnan(value)) throw BadInput("attribute ", name, " is not a number");
  return value;
}

std::string Attributes::String(std::string_view name, std::string_view otherwise) const {
  const AttributeProto* attribute = FindOfType(name, AttributeProto::STRING);
  return attribute != nullptr ? attribute->s() : std::string(otherwise);
}

std::optional<std::vector<int64_t>> Attributes::Ints(std::string_view name) const {
  const AttributeProto* attribute = FindOfType(name, AttributeProto::INTS);
  if (attribute == nullptr) return std::nullopt;
  return std::vector<int64_t>(attribute->ints().begin(), attribute->ints().end());
}

std::optional<std::vector<float>> Attributes::Floats(std::string_view name) const {
  const AttributeProto* attribute = FindOfType(name, AttributeProto::FLOATS);
  if (attribute == nullptr) return std::nullopt;
  return std::vector<float>(attribute->floats().begin(), attribute->floats().end());
}

std::optional<Tensor> Attributes::Values(std::string_view name, const TensorSource& source) const {
  const AttributeProto* attribute = FindOfType(name, AttributeProto::TENSOR);
  if (attribute == nullptr) return std::nullopt;
  return DecodeTensor(attribute->t(), source);
}

std::optional<std::string> Attributes::Unasked() const {
  std::optional<std::string> first;
  for (const auto& [name, attribute] : attributes_) {
    if (!asked_.contains(name) && (!first || name < *first)) first = std::string(name);
  }
  return first;
}

}  // namespace fettle

#include "fettle/primitives/primitive_list.h"

#include "fettle/primitives/primitive_families.h"

namespace fettle {

PrimitiveList PrimitiveList::All() {
  PrimitiveList all;
  auto& list = all.primitives_;
  list.push_back(MakeReference());  // stays the first
  return all;
}

const Primitive* PrimitiveList::Find(std::string_view implementation_name) const {
  const std::string_view name = implementation_name.substr(0, implementation_name.find(':'));
  for (const auto& primitive : primitives_) {
    if (primitive->Name() == name) return primitive.get();
  }
  return nullptr;
}

}  // namespace fettle

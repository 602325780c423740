#include "fettle/cost_models/implementation_catalog.h"

#include "fettle/runtime/default_choices.h"

namespace fettle {

ImplementationCatalog::ImplementationCatalog(const PrimitiveList& primitives, const Target& target,
                                             std::string only)
    : primitives_(primitives), target_(target), only_(std::move(only)) {}

const std::vector<Implementation>& ImplementationCatalog::Of(const LayerSpec& spec) {
  const std::lock_guard lock(mutex_);
  const auto [entry, is_new] = known_.try_emplace(KeyOf(spec));
  if (is_new) {
    const bool is_weighted = MacsOf(spec) > 0;  // forcing a primitive is about these
    entry->second =
        ImplementationsOf(spec, primitives_, target_, is_weighted ? std::string_view(only_) : "");
    if (entry->second.empty()) {
      entry->second = ImplementationsOf(spec, primitives_, target_);
    }
  }
  return entry->second;
}

}  // namespace fettle

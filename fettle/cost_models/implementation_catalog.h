#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "fettle/core/layer_spec.h"
#include "fettle/primitives/primitive_list.h"

namespace fettle {

// The implementations of layers on a target, remembered: asking a library costs milliseconds, and
// candidate networks share most of their layers. The list must outlive it. Thread-safe.
class ImplementationCatalog {
 public:
  // `only`: see ImplementationsOf; reorders are never restricted.
  ImplementationCatalog(const PrimitiveList& primitives, const Target& target,
                        std::string only = {});

  // Valid as long as the catalog.
  const std::vector<Implementation>& Of(const LayerSpec& spec);

  const Target& target() const { return target_; }
  const PrimitiveList& primitives() const { return primitives_; }
  const std::string& only() const { return only_; }

 private:
  const PrimitiveList& primitives_;
  Target target_;
  std::string only_;
  std::mutex mutex_;
  std::map<LayerKey, std::vector<Implementation>> known_;
};

}  // namespace fettle

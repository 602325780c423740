#include "fettle/search/strategy_list.h"

#include "fettle/search/nsga2.h"
#include "fettle/search/random_search.h"

namespace fettle {
namespace {

struct Entry {
  std::string_view name;
  std::unique_ptr<Strategy> (*make)(const DesignSpace&, const StrategySettings&);
};

template <typename T>
std::unique_ptr<Strategy> Make(const DesignSpace& space, const StrategySettings& settings) {
  return std::make_unique<T>(space, settings);
}

constexpr Entry kStrategies[] = {
    {"nsga2", Make<Nsga2>},
    {"random", Make<RandomSearch>},
};

}  // namespace

std::vector<std::string_view> StrategyNames() {
  std::vector<std::string_view> names;
  for (const Entry& entry : kStrategies) names.push_back(entry.name);
  return names;
}

std::unique_ptr<Strategy> MakeStrategy(std::string_view name, const DesignSpace& space,
                                       const StrategySettings& settings) {
  for (const Entry& entry : kStrategies) {
    if (entry.name == name) return entry.make(space, settings);
  }
  return nullptr;
}

}  // namespace fettle

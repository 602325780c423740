#pragma once

#include <map>
#include <set>
#include <string>

namespace fettle {

// What is said of a layer of a candidate's network, or of the original layer whose part it is
// ("conv.2" of "conv"). Null where nothing is. `originals`: what all layers of the original are
// called, of which none is a part of another, whatever it is called.
template <typename T>
const T* EntryOfLayer(const std::map<std::string, T>& entries, const std::string& layer,
                      const std::set<std::string>& originals) {
  std::string name = layer;
  auto found = entries.find(name);
  while (found == entries.end() && !originals.contains(name)) {
    const size_t end = name.rfind('.');
    if (end == std::string::npos || end == 0) break;
    name.resize(end);
    found = entries.find(name);
  }
  return found == entries.end() ? nullptr : &found->second;
}

}  // namespace fettle

#include "fettle/tuner/cli/space_options.h"

#include <algorithm>
#include <sstream>
#include <string_view>

#include "fettle/core/error.h"
#include "fettle/core/joined_text.h"
#include "fettle/network/batch.h"
#include "fettle/network/macs.h"
#include "fettle/network/variants/variant_list.h"
#include "fettle/tuner/cli/interrupt.h"
#include "fettle/tuner/glimpse.h"
#include "fettle/tuner/variant_screen.h"

namespace fettle {

std::vector<std::string> VariantNames() {
  std::vector<std::string> names;
  for (const VariantKind& kind : AllVariantKinds()) names.emplace_back(kind.name);
  return names;
}

std::vector<std::string> VariantsOf(const Options& options) {
  std::vector<std::string> known = VariantNames();
  if (!options.Has("variants")) return known;
  const std::string list = options.Get("variants");
  if (list == "none") return {};
  std::vector<std::string> names;
  std::istringstream in(list);
  for (std::string name; std::getline(in, name, ',');) {
    if (std::ranges::find(known, name) == known.end()) {
      throw Error(ErrorKind::kUsage, Text("--variants ", list, ": '", name, "' is none of ",
                                          JoinedText(known), " and not none"));
    }
    names.push_back(name);
  }
  return names;
}

TuningSpaceOptions SpaceOptions(const Graph& model, const std::vector<std::string>& kinds,
                                double budget_seconds, const Target& target, Console& console) {
  TuningSpaceOptions options;
  if (std::ranges::find(kinds, "prune") == kinds.end()) options.most_widths = 1;
  VariantScreenOptions screen;
  screen.kinds = kinds;
  std::erase(screen.kinds, "prune");
  screen.channel_step = options.channel_step;
  screen.most_in_all = MostVariants(MacsOf(model) / BatchOf(model), budget_seconds,
                                    ReckonedTrainingMacsPerSecond(target));
  screen.progress = [&](std::string_view what, size_t done, size_t all) {
    console.Status(Text("variants: ", done, " of ", all, " ", what, " looked at"));
    StopIfInterrupted("interrupted before anything was measured");
  };
  options.variants = ScreenVariants(model, target, screen);
  console.ClearStatus();
  return options;
}

}  // namespace fettle

#pragma once

#include "fettle/training/trainer/trainer.h"

namespace fettle {

// Settings for a short training from weights that are good already: so many steps of so many images
// of the dataset, a tenth of them to warm up, at a tenth of the learning rate of a training from
// scratch.
TrainSettings FineTuneSettings(const Dataset& dataset, int64_t steps, int64_t batch = 128);

// Trains the graph to the settings' end, or until the callback stops it. The teacher, where there
// is one, is the network as it was before it was changed. Throws an Error as Trainer does.
Graph FineTune(const Graph& graph, const Dataset& dataset, const TrainSettings& settings,
               const Target& target, std::optional<Teacher> teacher = std::nullopt,
               const TrainCallback& callback = {});

}  // namespace fettle

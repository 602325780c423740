#include "fettle/training/trainer/fine_tuning.h"

#include <algorithm>
#include <cassert>

namespace fettle {

TrainSettings FineTuneSettings(const Dataset& dataset, int64_t steps, int64_t batch) {
  assert(steps > 0 && batch > 0);
  TrainSettings settings;
  settings.batch = batch;
  const int64_t steps_an_epoch = std::max<int64_t>(1, dataset.size() / batch);
  settings.epochs = static_cast<double>(steps) / static_cast<double>(steps_an_epoch);
  settings.warmup_epochs = settings.epochs / 10;
  settings.learning_rate = 0.01;
  return settings;
}

Graph FineTune(const Graph& graph, const Dataset& dataset, const TrainSettings& settings,
               const Target& target, std::optional<Teacher> teacher,
               const TrainCallback& callback) {
  Trainer trainer(graph, dataset, settings, target, std::move(teacher));
  trainer.Run(callback);
  return trainer.TrainedGraph();
}

}  // namespace fettle

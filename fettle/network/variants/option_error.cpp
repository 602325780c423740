#include "fettle/network/variants/option_error.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "fettle/network/variants/variant_list.h"

namespace fettle {
namespace {

struct Task {
  const NetworkDecision* decision;
  NetworkOption* option;
};

// What the threads share.
class ErrorTasks {
 public:
  ErrorTasks(const Graph& graph, std::vector<Task> tasks)
      : graph_(graph), tasks_(std::move(tasks)) {}

  // Takes tasks until there are none left, or one failed, or all were called off.
  void Work() {
    for (size_t i = next_++; i < tasks_.size() && !is_over_; i = next_++) {
      try {
        const Task& task = tasks_[i];
        const auto variant = ParseVariant(task.option->variant);
        task.option->error = variant->WeightError(graph_, task.decision->layer);
      } catch (...) {
        const std::scoped_lock lock(mutex_);
        if (fault_ == nullptr) fault_ = std::current_exception();
        is_over_ = true;
      }
      const std::scoped_lock lock(mutex_);
      ++done_;
      changed_.notify_one();
    }
    const std::scoped_lock lock(mutex_);
    ++finished_;
    changed_.notify_one();
  }

  // Until so many threads have finished.
  void Watch(int threads, const std::function<bool(size_t done)>& progress) {
    std::unique_lock lock(mutex_);
    while (finished_ < threads) {
      changed_.wait_for(lock, std::chrono::milliseconds(100));
      const size_t done = done_;
      lock.unlock();
      if (progress && !progress(done)) is_over_ = true;
      lock.lock();
    }
    const size_t done = done_;
    lock.unlock();
    if (progress) progress(done);
  }

  void Rethrow() const {
    if (fault_ != nullptr) std::rethrow_exception(fault_);
  }

 private:
  const Graph& graph_;
  std::vector<Task> tasks_;
  std::atomic<size_t> next_ = 0;
  std::atomic<bool> is_over_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t done_ = 0;
  int finished_ = 0;
  std::exception_ptr fault_;
};

}  // namespace

void FillErrors(const Graph& graph, int threads, const std::function<bool(size_t done)>& progress,
                std::vector<NetworkDecision>* decisions) {
  std::vector<Task> tasks;
  for (NetworkDecision& decision : *decisions) {
    for (NetworkOption& option : decision.options) tasks.push_back({&decision, &option});
  }
  ErrorTasks shared(graph, std::move(tasks));
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < threads; ++i) workers.emplace_back([&] { shared.Work(); });
    shared.Watch(threads, progress);
  }
  shared.Rethrow();
}

}  // namespace fettle

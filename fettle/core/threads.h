#pragma once

namespace fettle {

// Sets how many threads parallel regions use in the calling thread, and sets it back. The one place
// that knows the OpenMP runtime that oneDNN, OpenBLAS and our own kernels share.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int previous_;
};

}  // namespace fettle

#include "fettle/core/threads.h"

#include <omp.h>

#include <cassert>

namespace fettle {

ThreadScope::ThreadScope(int threads) : previous_(omp_get_max_threads()) {
  assert(threads >= 1);
  omp_set_num_threads(threads);
}

ThreadScope::~ThreadScope() { omp_set_num_threads(previous_); }

}  // namespace fettle

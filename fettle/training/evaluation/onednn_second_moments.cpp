#include "fettle/training/evaluation/onednn_second_moments.h"

#include <dnnl.h>

#include <cassert>

#include "fettle/core/error.h"

namespace fettle {

void AddSecondMoments(const std::vector<float>& x, int64_t rows, int64_t columns,
                      std::vector<double>* sums) {
  assert(x.size() == static_cast<size_t>(rows * columns));
  assert(sums->size() == static_cast<size_t>(columns * columns));
  std::vector<float> products(sums->size());
  const dnnl_status_t status = dnnl_sgemm('T', 'N', columns, columns, rows, 1.0f, x.data(), columns,
                                          x.data(), columns, 0.0f, products.data(), columns);
  if (status != dnnl_success) {
    throw Error(ErrorKind::kInternal, Text("oneDNN's matrix product failed: ", status));
  }
  for (size_t i = 0; i < sums->size(); ++i) (*sums)[i] += products[i];
}

}  // namespace fettle

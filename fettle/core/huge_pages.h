#pragma once

#include <cstddef>
#include <vector>

namespace fettle {

// Asks the system to put the whole huge pages within [data, data + bytes) on such, where it has
// them on request; call it before the memory is written for the first time. Where weights of a
// hundred megabytes are read once a run, the walk from page to page is part of what is waited for.
// Changes nothing below 4 MB, or where the system has none.
void AdviseHugePages(void* data, size_t bytes);

// values.resize(count), with that advice.
template <typename T>
void ResizeOnHugePages(std::vector<T>* values, size_t count) {
  values->reserve(count);
  AdviseHugePages(values->data(), values->capacity() * sizeof(T));
  values->resize(count);
}

}  // namespace fettle

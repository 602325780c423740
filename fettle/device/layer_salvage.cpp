#include "fettle/device/layer_salvage.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

#include "fettle/core/error.h"

namespace fettle {

LayerSalvage::LayerSalvage(const LayerRequest& request) : request_(request) {
  answer_.timings.resize(request.implementations.size());
  Part all(request.implementations.size());
  std::iota(all.begin(), all.end(), size_t{0});
  if (!all.empty()) parts_.push_back(std::move(all));
}

std::optional<LayerRequest> LayerSalvage::Next() {
  if (parts_.empty()) return std::nullopt;
  LayerRequest next = request_;
  next.implementations.clear();
  for (const size_t i : parts_.front()) {
    next.implementations.push_back(request_.implementations[i]);
  }
  return next;
}

void LayerSalvage::Add(const Reply& reply, const std::optional<LayerProgress>& last_progress) {
  assert(!parts_.empty());
  if (reply.status == ReplyStatus::kAnswer) {
    LayerAnswer answer = ParseLayerAnswer(reply.body);
    if (answer.timings.size() != parts_.front().size()) {
      throw Error(ErrorKind::kDevice, Text("the worker answered with ", answer.timings.size(),
                                           " timings, not ", parts_.front().size()));
    }
    Adopt(parts_.front(), std::move(answer));
    parts_.pop_front();
    return;
  }
  const Part part = std::move(parts_.front());
  parts_.pop_front();
  if (reply.status == ReplyStatus::kError) {
    return Blame(part, MeasurementStatus::kFailed, reply.error.message);
  }
  const MeasurementStatus status = reply.status == ReplyStatus::kTimedOut
                                       ? MeasurementStatus::kTimedOut
                                       : MeasurementStatus::kCrashed;
  if (part.size() == 1) return Blame(part, status, reply.detail);
  if (!last_progress || last_progress->implementation >= part.size()) {
    return Blame(part, status, reply.detail + ", before it came to any implementation");
  }
  if (last_progress->stage == BenchStage::kPreparing) {
    const size_t culprit = last_progress->implementation;
    Blame({part[culprit]}, status, reply.detail + ", while preparing it");
    Part rest = part;
    rest.erase(rest.begin() + static_cast<ptrdiff_t>(culprit));
    parts_.push_front(std::move(rest));
    return;
  }
  for (auto i = part.rbegin(); i != part.rend(); ++i) parts_.push_front({*i});
}

void LayerSalvage::Adopt(const Part& part, LayerAnswer&& answer) {
  for (size_t i = 0; i < part.size(); ++i) {
    answer_.timings[part[i]] = std::move(answer.timings[i]);
  }
  if (!answer_.resident_bytes) answer_.resident_bytes = answer.resident_bytes;
  answer_.peak_bytes = std::max(answer_.peak_bytes, answer.peak_bytes);
}

void LayerSalvage::Blame(const Part& part, MeasurementStatus status, const std::string& detail) {
  for (const size_t i : part) {
    Measurement& measurement = answer_.timings[i].measurement;
    measurement.status = status;
    measurement.mode = request_.options.mode;
    measurement.detail = detail;
  }
}

}  // namespace fettle

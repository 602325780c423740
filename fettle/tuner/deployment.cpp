#include "fettle/tuner/deployment.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/network/onnx/export.h"
#include "fettle/network/onnx/import.h"
#include "fettle/runtime/plan_file.h"
#include "fettle/search/pareto_front.h"

namespace fettle {
namespace {

// The number behind `prefix`, in units that `suffix` may name.
std::optional<double> NumberBehind(std::string_view text, std::string_view prefix,
                                   std::string_view suffix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  if (text.ends_with(suffix)) text.remove_suffix(suffix.size());
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

VerifiedPoint BestOf(const std::vector<VerifiedPoint>& front, const std::string& pick,
                     bool (*fits)(const VerifiedPoint&, double), double bound,
                     bool (*is_better)(const VerifiedPoint&, const VerifiedPoint&)) {
  const VerifiedPoint* best = nullptr;
  for (const VerifiedPoint& point : front) {
    if (fits(point, bound) && (best == nullptr || is_better(point, *best))) best = &point;
  }
  if (best == nullptr) {
    throw BadInput("--pick ", pick, ": no verified point satisfies it; see fettle front");
  }
  return *best;
}

bool IsFaster(const VerifiedPoint& a, const VerifiedPoint& b) {
  return a.latency_ms.value < b.latency_ms.value;
}

bool IsMoreAccurate(const VerifiedPoint& a, const VerifiedPoint& b) {
  return a.accuracy.value > b.accuracy.value;
}

VerifiedPoint Knee(const std::vector<VerifiedPoint>& front, const std::vector<Objective>& wanted) {
  std::vector<Objectives> objectives;
  for (const VerifiedPoint& point : front) objectives.push_back(ValuesOf(point, wanted));
  return front.at(KneePoint(objectives).value_or(0));
}

}  // namespace

VerifiedPoint PickPoint(const Session& session, const std::string& pick) {
  if (pick == "original" && session.original()) return *session.original();
  for (const VerifiedPoint& point : session.points()) {
    if (point.id == pick) return point;
  }
  const std::vector<VerifiedPoint> front = FrontOf(session);
  if (front.empty()) {
    throw BadInput(session.folder().string(),
                   ": no configuration has been verified yet; go on with fettle tune --resume");
  }
  if (pick == "fastest") return *std::ranges::min_element(front, IsFaster);
  if (pick == "knee") return Knee(front, session.settings().objectives);
  if (const auto least = NumberBehind(pick, "accuracy>=", "")) {
    const auto fits = [](const VerifiedPoint& point, double bound) {
      return point.accuracy.value >= bound;
    };
    return BestOf(front, pick, fits, *least, IsFaster);
  }
  if (const auto most = NumberBehind(pick, "latency<=", "ms")) {
    const auto fits = [](const VerifiedPoint& point, double bound) {
      return point.latency_ms.value <= bound;
    };
    return BestOf(front, pick, fits, *most, IsMoreAccurate);
  }
  throw Error(ErrorKind::kUsage, Text("--pick ", pick,
                                      ": neither a point of this session nor fastest, knee, "
                                      "'accuracy>=0.93' or 'latency<=0.5ms'; see fettle front"));
}

std::string Deploy(const Session& session, const VerifiedPoint& point,
                   const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder) &&
      (!std::filesystem::is_directory(folder) || !std::filesystem::is_empty(folder))) {
    throw BadInput(folder.string(), ": exists and is not an empty folder; name another --out");
  }
  const std::filesystem::path from = session.FolderOf(point);
  ImportOptions options;
  options.batch = session.settings().batch;
  const Graph model = ImportOnnx(from / "model.onnx", options);
  const Plan plan = ReadPlan(from);
  std::error_code fault;
  std::filesystem::create_directories(folder, fault);
  if (fault) throw BadInput(folder.string(), ": ", fault.message());
  ExportOnnx(model, folder / "model.onnx");
  WritePlan(folder, plan);

  nlohmann::ordered_json manifest = {{"schema", 1}};
  manifest["files"] = {{"onnx", "model.onnx"}, {"plan", "plan.json"}, {"weights", "weights.bin"}};
  manifest["data"] = session.settings().data;
  manifest["device"] = {{"id", session.settings().device},
                        {"name", session.settings().device_name}};
  manifest["threads"] = plan.threads;
  manifest["batch"] = session.settings().batch;
  manifest["metric"] = session.settings().metric;
  if (!session.settings().preprocessing.empty()) {
    manifest["preprocessing"] = nlohmann::ordered_json::parse(session.settings().preprocessing);
  }
  manifest["point"] = ToJson(point);
  if (session.original()) manifest["original"] = ToJson(*session.original());
  std::string text = manifest.dump(1) + "\n";
  WriteFileAtomically(folder / "manifest.json", text);
  return text;
}

}  // namespace fettle

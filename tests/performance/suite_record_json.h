#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/core/statistics.h"

namespace fettle {

// The answers of `fettle bench --json` that suite_benchmark.cpp has collected so far.

using Json = nlohmann::ordered_json;

// What is measured: a network at a precision and a number of threads.
struct Case {
  std::string network, precision;
  int threads = 1;

  friend auto operator<=>(const Case&, const Case&) = default;
};

// What came of it; the load is that of the machine before.
struct Outcome {
  Interval ours, theirs, ratio;
  double default_ms = 0, load = 0;
  std::string peer_version;
};

inline Interval IntervalOf(const Json& json) {
  return {json.at("median").get<double>(), json.at("low").get<double>(),
          json.at("high").get<double>()};
}

inline Outcome OutcomeOf(const Json& line) {
  const Json& bench = line.at("bench");
  const Json& peer = bench.at("against").at("onnxruntime");
  return {IntervalOf(peer.at("our_latency_ms")),
          IntervalOf(peer.at("latency_ms")),
          IntervalOf(peer.at("ratio")),
          bench.at("default_latency_ms").at("median").get<double>(),
          line.value("load", 0.0),
          peer.at("version").get<std::string>()};
}

// FOLDER/measurements.jsonl.
class Record {
 public:
  explicit Record(std::filesystem::path file) : file_(std::move(file)) {
    std::ifstream in(file_);
    for (std::string text; std::getline(in, text);) {
      const Json line = Json::parse(text, nullptr, false);
      if (line.is_discarded() || !line.contains("bench")) continue;  // what a kill left of a line
      Keep(line);
    }
  }

  bool Has(const Case& each) const { return outcomes_.contains(each); }
  const std::map<Case, Outcome>& outcomes() const { return outcomes_; }

  // `bench` is what `fettle bench --json` answered.
  void Add(const Case& each, double load, const std::string& bench) {
    const Json line = {{"network", each.network},
                       {"precision", each.precision},
                       {"threads", each.threads},
                       {"load", load},
                       {"bench", Json::parse(bench, nullptr, false)}};
    if (line.at("bench").is_discarded()) {
      throw Error(ErrorKind::kDevice, each.network + ": bench did not answer with JSON");
    }
    // A line of its own, also behind what a kill left of one.
    std::ofstream out(file_, std::ios::app);
    if (!(out << '\n' << line.dump() << '\n' << std::flush)) {
      throw BadInput(file_.string(), ": cannot be written");
    }
    Keep(line);
  }

 private:
  void Keep(const Json& line) {
    const Case key{line.at("network").get<std::string>(), line.at("precision").get<std::string>(),
                   line.at("threads").get<int>()};
    outcomes_.insert_or_assign(key, OutcomeOf(line));
  }

  std::filesystem::path file_;
  std::map<Case, Outcome> outcomes_;
};

}  // namespace fettle

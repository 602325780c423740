#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "fettle/device/request_handler.h"

namespace fettle {

// A handler made of a function.
class ScriptedHandler : public RequestHandler {
 public:
  using Script = std::function<std::string(const std::string& body, const Progress& progress)>;

  ScriptedHandler(std::string kind, Script script)
      : kind_(std::move(kind)), script_(std::move(script)) {}

  std::string_view Kind() const override { return kind_; }
  std::string Answer(const std::string& body, const Progress& progress) override {
    return script_(body, progress);
  }

 private:
  std::string kind_;
  Script script_;
};

inline std::unique_ptr<RequestHandler> Handler(std::string kind, ScriptedHandler::Script script) {
  return std::make_unique<ScriptedHandler>(std::move(kind), std::move(script));
}

}  // namespace fettle

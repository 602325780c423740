#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace fettle {

// Answers one kind of request in the worker. Stands in the list of request_list.h.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;

  // The kind of message it answers: "measure_layer".
  virtual std::string_view Kind() const = 0;

  // The answer's body. `progress` sends a body ahead of it, as often as wanted; whoever asked then
  // knows how far it came should this process not survive. What it throws (std::exception) is
  // answered as an error, and the worker goes on.
  using Progress = std::function<void(const std::string& body)>;
  virtual std::string Answer(const std::string& body, const Progress& progress) = 0;
};

}  // namespace fettle

#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace fettle {

// Whose fault a failure is. The values are the command line's exit codes (a contract).
enum class ErrorKind {
  kInternal = 1,     // a bug of ours that an assertion could not catch
  kUsage = 2,        // an option or argument that makes no sense
  kBadInput = 3,     // a model, dataset, database or plan that cannot be used
  kDevice = 4,       // the device or a peer failed
  kInterrupted = 5,  // stopped by the user; the state is saved
};

// A user's, file's or device's failure. The message is one line that names the file, the place, the
// value and the remedy. A programmer's error is an assertion, a failed measurement a Measurement
// with its status; neither is ever thrown as an Error.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

// The parts streamed one after another.
template <typename... Parts>
std::string Text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// throw BadInput(file, ": node '", name, "': ...");
template <typename... Parts>
Error BadInput(const Parts&... parts) {
  return Error(ErrorKind::kBadInput, Text(parts...));
}

}  // namespace fettle

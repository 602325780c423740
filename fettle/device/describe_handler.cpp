#include "fettle/device/fingerprint_host.h"
#include "fettle/device/request_list.h"
#include "fettle/device/worker_protocol.h"

namespace fettle {
namespace {

class DescribeHandler : public RequestHandler {
 public:
  explicit DescribeHandler(const WorkerTools& tools) : tools_(tools) {}

  std::string_view Kind() const override { return kDescribeKind; }

  std::string Answer(const std::string& body, const Progress&) override {
    const int threads = ParseDescribeRequest(body).threads;
    return BodyOf(
        Description{HostFingerprint(tools_.environment, HostTarget(threads), tools_.libraries),
                    TakePreflight(tools_.environment, threads)});
  }

 private:
  WorkerTools tools_;
};

}  // namespace

std::unique_ptr<RequestHandler> MakeDescribeHandler(const WorkerTools& tools) {
  return std::make_unique<DescribeHandler>(tools);
}

}  // namespace fettle

#include "protocol/pg_cancel.h"

#include <libpq-fe.h>

#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace walferry {
namespace {

constexpr absl::Duration kDelivery = absl::Seconds(1);

struct FreeCancel {
  void operator()(PGcancel* cancel) const { PQfreeCancel(cancel); }
};

}  // namespace

void SendCancelRequest(const pg_conn* conn) {
  std::unique_ptr<PGcancel, FreeCancel> cancel(
      PQgetCancel(const_cast<PGconn*>(conn)));
  if (cancel == nullptr) return;
  // PQcancel connects and reads without any bound; this thread is what bounds
  // it. It owns all that it touches, so it may outlive us.
  auto delivered = std::make_shared<absl::Notification>();
  try {
    // house-rule: ok, a cancel request has no other bound
    std::thread([cancel = std::move(cancel), delivered] {
      char error[256];
      PQcancel(cancel.get(), error, sizeof(error));
      delivered->Notify();
    }).detach();
  } catch (const std::system_error&) {
    return;  // No thread to be had: closing the connection must do.
  }
  delivered->WaitForNotificationWithTimeout(kDelivery);
}

}  // namespace walferry

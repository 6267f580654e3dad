#include "protocol/status.h"

#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"

namespace walferry {
namespace {

constexpr absl::string_view kHintUrl = "walferry/hint";
constexpr absl::string_view kSqlStateUrl = "walferry/sqlstate";

std::string PayloadOf(const absl::Status& status, absl::string_view url) {
  const absl::optional<absl::Cord> payload = status.GetPayload(url);
  return payload.has_value() ? std::string(*payload) : std::string();
}

}  // namespace

absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(),
                         absl::StrCat(context, ": ", status.message()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

absl::Status WithHint(absl::Status status, absl::string_view hint) {
  if (status.ok() || status.GetPayload(kHintUrl).has_value()) return status;
  status.SetPayload(kHintUrl, absl::Cord(hint));
  return status;
}

absl::Status ReplaceHint(absl::Status status, absl::string_view hint) {
  if (status.GetPayload(kHintUrl).has_value()) {
    status.SetPayload(kHintUrl, absl::Cord(hint));
  }
  return status;
}

std::string HintOf(const absl::Status& status) {
  return PayloadOf(status, kHintUrl);
}

absl::Status WithSqlState(absl::Status status, absl::string_view sqlstate) {
  if (status.ok() || sqlstate.empty()) return status;
  status.SetPayload(kSqlStateUrl, absl::Cord(sqlstate));
  return status;
}

std::string SqlStateOf(const absl::Status& status) {
  return PayloadOf(status, kSqlStateUrl);
}

}  // namespace walferry

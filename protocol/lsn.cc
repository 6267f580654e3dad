#include "protocol/lsn.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace walferry {
namespace {

std::optional<uint32_t> ParseHalf(absl::string_view digits) {
  if (digits.empty() || digits.size() > 8) return std::nullopt;
  uint32_t value = 0;
  for (const char digit : digits) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(digit))) {
      return std::nullopt;
    }
    // Letters, upper or lower case, have 9 added to their low four bits.
    const auto byte = static_cast<uint32_t>(static_cast<uint8_t>(digit));
    value = value << 4 | ((byte & 0xf) + (byte > '9' ? 9 : 0));
  }
  return value;
}

}  // namespace

absl::StatusOr<Lsn> Lsn::Parse(absl::string_view text) {
  const size_t slash = text.find('/');
  if (slash != absl::string_view::npos) {
    const std::optional<uint32_t> high = ParseHalf(text.substr(0, slash));
    const std::optional<uint32_t> low = ParseHalf(text.substr(slash + 1));
    if (high.has_value() && low.has_value()) {
      return Lsn(uint64_t{*high} << 32 | *low);
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("invalid LSN \"", absl::CHexEscape(text), "\""));
}

std::string Lsn::ToString() const {
  return absl::StrFormat("%X/%X", value_ >> 32, value_ & 0xffffffff);
}

}  // namespace walferry

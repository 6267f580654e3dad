#ifndef PROTOCOL_PG_CONNINFO_H_
#define PROTOCOL_PG_CONNINFO_H_

// A connection string as libpq will understand it. For the files of
// protocol_pg alone.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace walferry {

// Every setting of libpq with the value it has after the string itself, the
// service file, the environment and the built-in defaults, in this order.
class ResolvedConnInfo {
 public:
  struct Setting {
    std::string keyword;
    std::string value;
    bool is_default;  // The value is the one that is built into libpq.
    bool secret;      // A password: never to be shown.
  };

  // kInvalidArgument if libpq refuses the string, or if it looks as if a part
  // of the password had ended up in the host or the database.
  static absl::StatusOr<ResolvedConnInfo> Of(const std::string& conninfo);

  // The setting's value, "" if there is none.
  std::string Value(absl::string_view keyword) const;
  // Someone has chosen the value.
  bool IsSet(absl::string_view keyword) const;
  const std::vector<Setting>& settings() const { return settings_; }

 private:
  std::vector<Setting> settings_;
};

// `value` as it stands in a keyword/value string.
std::string QuoteConnInfoValue(absl::string_view value);

}  // namespace walferry

#endif  // PROTOCOL_PG_CONNINFO_H_

#include "protocol/pg_startup_options.h"

#include "absl/strings/str_cat.h"
#include "protocol/pg_conninfo.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<std::string> OptionsWithSetting(const std::string& conninfo,
                                               absl::string_view setting) {
  ASSIGN_OR_RETURN(const ResolvedConnInfo resolved,
                   ResolvedConnInfo::Of(conninfo));
  const std::string own =
      resolved.IsSet("options") ? resolved.Value("options") : "";
  return absl::StrCat(
      "options=", QuoteConnInfoValue(absl::StrCat(own, own.empty() ? "" : " ",
                                                  "-c ", setting)));
}

}  // namespace walferry

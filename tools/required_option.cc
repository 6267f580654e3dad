#include "tools/required_option.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "protocol/pg_connection.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<std::string> Required(const OptionValues& values, OptionId id) {
  const OptionSpec& spec = SpecOf(id);
  if (values.entry(id).origin != OriginKind::kDefault) return values.Text(id);
  const std::string variable = EnvironmentName(spec);
  return WithHint(
      absl::InvalidArgumentError(absl::StrCat("no ", spec.name, " is given")),
      absl::StrCat("use --", spec.name, " ", spec.placeholder,
                   variable.empty() ? "" : " or set ", variable));
}

absl::StatusOr<std::string> RequiredConnInfo(const OptionValues& values,
                                             OptionId id) {
  ASSIGN_OR_RETURN(std::string conninfo, Required(values, id));
  const absl::Status status = ParseConnInfo(conninfo).status();
  if (!status.ok()) return Annotate(status, values.entry(id).where);
  return conninfo;
}

}  // namespace walferry

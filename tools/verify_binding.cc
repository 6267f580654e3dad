#include "tools/verify_binding.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"
#include "tools/endpoint_options.h"

namespace walferry {
namespace {

VerifyMethod MethodOf(const OptionValues& values) {
  const std::string& name = values.Text(OptionId::kMethod);
  for (const VerifyMethod method :
       {VerifyMethod::kEstimate, VerifyMethod::kCounts,
        VerifyMethod::kSample}) {
    if (VerifyMethodName(method) == name) return method;
  }
  return VerifyMethod::kChecksum;
}

// Whoever asks for a share must not wait for everything, nor read "equal" where
// only a share was looked at.
absl::Status CheckSample(const OptionValues& values) {
  if (values.Text(OptionId::kMethod) == "sample") return absl::OkStatus();
  for (const OptionId id : {OptionId::kSample, OptionId::kSeed}) {
    if (values.entry(id).origin != OriginKind::kFlag) continue;
    return WithHint(
        absl::InvalidArgumentError(absl::StrCat(
            values.entry(id).where, " goes with --method sample only")),
        "the other methods look at every row, or at none");
  }
  return absl::OkStatus();
}

// Only what names rows can repair them.
absl::Status CheckRepair(const OptionValues& values) {
  if (!values.Flag(OptionId::kRepair)) {
    if (!values.Flag(OptionId::kDryRun)) return absl::OkStatus();
    return WithHint(
        absl::InvalidArgumentError("--dry-run goes with --repair only"),
        "a comparison alone changes nothing");
  }
  const std::string& method = values.Text(OptionId::kMethod);
  if (method == "counts" || method == "estimate") {
    return WithHint(absl::InvalidArgumentError(
                        absl::StrCat("--repair and --method ", method,
                                     " exclude each "
                                     "other")),
                    "--method checksum and --method sample name the rows that "
                    "differ");
  }
  return absl::OkStatus();
}

absl::Status CheckOnline(const OptionValues& values) {
  const OptionValues::Entry& age = values.entry(OptionId::kMaxSnapshotAge);
  if (values.Flag(OptionId::kOnline) || age.origin != OriginKind::kFlag) {
    return absl::OkStatus();
  }
  return WithHint(absl::InvalidArgumentError(
                      absl::StrCat(age.where, " goes with --online only")),
                  "databases that stand still are compared in one state");
}

// Two texts in one another are neither.
absl::Status CheckStandardOutput(const OptionValues& values) {
  if (!values.Flag(OptionId::kJson) || values.Text(OptionId::kEvents) != "-") {
    return absl::OkStatus();
  }
  return WithHint(
      absl::InvalidArgumentError("--json and --events - exclude each other"),
      "both are written to the standard output; --report FILE.json takes the "
      "result elsewhere");
}

}  // namespace

absl::StatusOr<VerifyOptions> BindVerify(const OptionValues& values) {
  VerifyOptions options;
  RETURN_IF_ERROR(CheckSample(values));
  RETURN_IF_ERROR(CheckRepair(values));
  RETURN_IF_ERROR(CheckOnline(values));
  RETURN_IF_ERROR(CheckStandardOutput(values));
  ASSIGN_OR_RETURN(options.endpoints, BindEndpoints(values));
  options.method = MethodOf(values);
  options.schema = !values.Flag(OptionId::kNoSchema);
  options.privileges = values.Flag(OptionId::kPrivileges);
  if (options.privileges && !options.schema) {
    return WithHint(absl::InvalidArgumentError(
                        "--no-schema and --privileges exclude each other"),
                    "privileges are compared with the schemas");
  }
  options.scope = BindScope(values);
  options.jobs = static_cast<int>(values.Integer(OptionId::kJobs));
  options.sample_percent =
      static_cast<double>(values.Integer(OptionId::kSample));
  options.seed = static_cast<uint64_t>(values.Integer(OptionId::kSeed));
  options.max_differences = values.Integer(OptionId::kMaxDifferences);
  options.online = values.Flag(OptionId::kOnline);
  options.max_snapshot_age = values.Duration(OptionId::kMaxSnapshotAge);
  options.resume = !values.Flag(OptionId::kRestart);
  if (values.Flag(OptionId::kRepair)) {
    options.repair =
        values.Flag(OptionId::kDryRun) ? RepairMode::kDryRun : RepairMode::kYes;
  }
  return options;
}

}  // namespace walferry

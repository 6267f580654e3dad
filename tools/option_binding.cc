#include "tools/option_binding.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/catalog/delayed_tables.h"
#include "engine/check/check_ids.h"
#include "engine/server/create_database.h"
#include "engine/server/server_plan.h"
#include "protocol/status.h"
#include "tools/endpoint_options.h"
#include "tools/near_name.h"
#include "tools/part_option.h"
#include "tools/required_option.h"

namespace walferry {
namespace {

absl::StatusOr<std::vector<std::string>> RequiredPublications(
    const OptionValues& values) {
  const std::vector<std::string>& names = values.List(OptionId::kPublication);
  if (!names.empty()) return names;
  return WithHint(absl::InvalidArgumentError("no publication is given"),
                  "use --publication NAME or set WALFERRY_PUBLICATION");
}

StreamOptions BindStream(const OptionValues& values) {
  StreamOptions stream;
  stream.poll_interval = values.Duration(OptionId::kPollInterval);
  stream.lag_threshold_bytes = values.Bytes(OptionId::kLagThreshold);
  stream.apply_jobs = static_cast<int>(values.Integer(OptionId::kApplyJobs));
  stream.batch_bytes =
      BatchBytesFor(values.Bytes(OptionId::kMemory), stream.apply_jobs);
  stream.binary = values.Text(OptionId::kBinary) == "off" ? BinaryMode::kOff
                                                          : BinaryMode::kAuto;
  stream.receive_timeout = values.Duration(OptionId::kReceiveTimeout);
  stream.retry_for = values.Duration(OptionId::kRetryFor);
  return stream;
}

// Of an online migration.
constexpr OptionId kOfItsComparisons[] = {
    OptionId::kVerifyEvery, OptionId::kVerifyBudget, OptionId::kMaxSnapshotAge};

// A stream of changes begins where rows were copied, and needs tables that they
// go into.
absl::Status CheckOnline(const OptionValues& values) {
  for (const OptionId id : {OptionId::kSchemaOnly, OptionId::kDataOnly,
                            OptionId::kDropTargetFirst}) {
    if (!values.Flag(id)) continue;
    return WithHint(
        absl::InvalidArgumentError(absl::StrCat(
            values.entry(id).where, " goes with --mode offline only")),
        id == OptionId::kDropTargetFirst
            ? "give an online migration an empty database"
            : "an online migration follows the changes of what it has created "
              "and copied itself");
  }
  if (values.Text(OptionId::kVerify) != "off") return absl::OkStatus();
  for (const OptionId id : kOfItsComparisons) {
    if (values.entry(id).origin != OriginKind::kFlag) continue;
    return WithHint(
        absl::InvalidArgumentError(absl::StrCat(
            values.entry(id).where, " does not go with --verify off")),
        "it is about comparisons, and none is made");
  }
  return absl::OkStatus();
}

// What was asked for in so many words must mean something.
absl::StatusOr<MigrateMode> BindMode(const OptionValues& values) {
  if (values.Text(OptionId::kMode) == "online") {
    RETURN_IF_ERROR(CheckOnline(values));
    return MigrateMode::kOnline;
  }
  for (const OptionId id :
       {OptionId::kSlot, OptionId::kPublication, OptionId::kCutover,
        OptionId::kFreeze, OptionId::kKeepSlot, OptionId::kKeepPublication,
        OptionId::kApplyJobs, OptionId::kMemory, OptionId::kLagThreshold,
        OptionId::kReceiveTimeout, OptionId::kCutoverTimeout,
        OptionId::kVerifyEvery, OptionId::kVerifyBudget,
        OptionId::kMaxSnapshotAge}) {
    if (values.entry(id).origin != OriginKind::kFlag) continue;
    return WithHint(
        absl::InvalidArgumentError(absl::StrCat(
            values.entry(id).where, " goes with --mode online only")),
        "an offline migration copies one state of the source and ends");
  }
  return MigrateMode::kOffline;
}

absl::StatusOr<bool> BindFastTarget(const OptionValues& values) {
  const bool fast = values.Flag(OptionId::kFastTarget);
  if (!fast || values.Text(OptionId::kMode) == "offline") return fast;
  return WithHint(
      absl::InvalidArgumentError(
          absl::StrCat(values.entry(OptionId::kFastTarget).where,
                       " goes with --mode offline only")),
      "an online migration's target must keep what it has confirmed");
}

// migrate reads one publication, the one that it creates or is given.
absl::StatusOr<std::string> BindPublication(const OptionValues& values) {
  const std::vector<std::string>& names = values.List(OptionId::kPublication);
  if (names.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(values.entry(OptionId::kPublication).where,
                     " must name one publication; only follow and capture "
                     "take several"));
  }
  return names.empty() ? "" : names.front();
}

// "ID" or "ID:SUBJECT", each with an ID that there is; `dry_run` is the command
// that tells them.
absl::StatusOr<std::vector<std::string>> BindAccept(
    const OptionValues& values, absl::Span<const absl::string_view> ids,
    absl::string_view dry_run) {
  const std::vector<std::string>& accept = values.List(OptionId::kAccept);
  for (const std::string& finding : accept) {
    const std::string id = finding.substr(0, finding.find(':'));
    if (absl::c_linear_search(ids, id)) continue;
    const std::string near = NearestName(id, ids);
    return WithHint(absl::InvalidArgumentError(
                        absl::StrCat(values.entry(OptionId::kAccept).where,
                                     ": no finding has the id \"", id, "\"")),
                    near.empty()
                        ? absl::StrCat(dry_run, " tells the id of each finding")
                        : absl::StrCat("did you mean ", near, "?"));
  }
  return accept;
}

// Of what `migrate` is asked to move.
std::vector<absl::string_view> IdsToAccept(const OptionValues& values) {
  std::vector<absl::string_view> ids(AcceptIds().begin(), AcceptIds().end());
  if (!values.Flag(OptionId::kAllDatabases)) return ids;
  for (const auto more :
       {GlobalsFindingIds(), DatabaseFindingIds(), ServerFindingIds()}) {
    ids.insert(ids.end(), more.begin(), more.end());
  }
  return ids;
}

void BindCopy(const OptionValues& values, MigrateOptions& options) {
  options.jobs = static_cast<int>(values.Integer(OptionId::kJobs));
  options.index_jobs = static_cast<int>(values.Integer(OptionId::kIndexJobs));
  options.split_bytes = values.Bytes(OptionId::kSplitSize);
  options.no_owner = values.Flag(OptionId::kNoOwner);
  options.no_acl = values.Flag(OptionId::kNoAcl);
  options.sequence_sync = !values.Flag(OptionId::kNoSequenceSync);
  options.analyze = !values.Flag(OptionId::kNoAnalyze);
  options.inserts = values.Flag(OptionId::kInserts);
  options.pg_dump = values.Text(OptionId::kPgDump);
}

void BindCutoverPlan(const OptionValues& values, MigrateOptions& options) {
  options.cutover = values.Text(OptionId::kCutover) == "auto"
                        ? CutoverMode::kAuto
                        : CutoverMode::kManual;
  options.freeze = values.Text(OptionId::kFreeze) == "read-only"
                       ? FreezeMode::kReadOnly
                       : FreezeMode::kNone;
  options.cutover_timeout = values.Duration(OptionId::kCutoverTimeout);
  options.keep_slot = values.Flag(OptionId::kKeepSlot);
  options.keep_publication = values.Flag(OptionId::kKeepPublication);
  options.verify_budget = values.Duration(OptionId::kVerifyBudget);
  options.verify_every = values.Duration(OptionId::kVerifyEvery);
  options.max_snapshot_age = values.Duration(OptionId::kMaxSnapshotAge);
}

absl::StatusOr<std::vector<TablespaceMapping>> BindTablespaces(
    const OptionValues& values) {
  std::vector<TablespaceMapping> mappings;
  for (const std::string& text : values.List(OptionId::kTablespaceMapping)) {
    const size_t sign = text.find('=');
    if (sign == std::string::npos || sign == 0 || sign + 1 == text.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat(values.entry(OptionId::kTablespaceMapping).where, ": \"",
                       text, "\" is not of the form OLD=NEW"));
    }
    mappings.push_back(
        {.from = text.substr(0, sign), .to = text.substr(sign + 1)});
  }
  return mappings;
}

absl::StatusOr<GlobalsPlanOptions> BindGlobalsPlan(const OptionValues& values) {
  GlobalsPlanOptions plan{
      .update_existing = values.Flag(OptionId::kUpdateExisting),
      .passwords = !values.Flag(OptionId::kNoRolePasswords)};
  ASSIGN_OR_RETURN(plan.tablespaces, BindTablespaces(values));
  return plan;
}

// They say nothing where one database is moved.
absl::Status RefuseServerOptions(const OptionValues& values) {
  for (const OptionId id :
       {OptionId::kDatabase, OptionId::kExcludeDatabase, OptionId::kUseExisting,
        OptionId::kNoGlobals, OptionId::kMaxParallel, OptionId::kDumpParallel,
        OptionId::kRestoreParallel, OptionId::kVerifyConcurrency,
        OptionId::kUpdateExisting, OptionId::kNoRolePasswords,
        OptionId::kTablespaceMapping}) {
    if (values.entry(id).origin != OriginKind::kFlag) continue;
    return WithHint(
        absl::InvalidArgumentError(absl::StrCat(
            values.entry(id).where, " goes with --all-databases only")),
        "one database is named by --source and --target");
  }
  return absl::OkStatus();
}

absl::Status CheckAllDatabases(const OptionValues& values) {
  const auto refuse = [&](OptionId id, absl::string_view hint) {
    return WithHint(
        absl::InvalidArgumentError(absl::StrCat(
            values.entry(id).where, " does not go with --all-databases")),
        hint);
  };
  for (const OptionId id : {OptionId::kSchema, OptionId::kTable}) {
    if (values.List(id).empty()) continue;
    return refuse(
        id, "exclude what is not wanted, or move that database by itself");
  }
  for (const OptionId id : {OptionId::kSchemaOnly, OptionId::kDataOnly,
                            OptionId::kDropTargetFirst}) {
    if (values.Flag(id)) return refuse(id, "move such a database by itself");
  }
  if (values.Text(OptionId::kVia) == "archive") {
    return refuse(OptionId::kVia, "move such a database by itself");
  }
  if (!values.Text(OptionId::kSlot).empty()) {
    return refuse(OptionId::kSlot, "each database has a slot of its own");
  }
  if (!values.List(OptionId::kPublication).empty()) {
    return refuse(OptionId::kPublication,
                  "each database has a publication of its own");
  }
  return absl::OkStatus();
}

absl::Status CheckReplay(const OptionValues& values) {
  const bool decode = values.Flag(OptionId::kDecode);
  const bool apply = !values.Text(OptionId::kApply).empty();
  if (decode && apply) {
    return WithHint(
        absl::InvalidArgumentError("--decode and --apply exclude each other"),
        "time them one after the other");
  }
  if (!decode && !apply) {
    return WithHint(
        absl::InvalidArgumentError("neither --decode nor --apply is given"),
        "use --decode, or --apply URI of a server whose data may be changed");
  }
  if (apply && values.Integer(OptionId::kRepeat) > 1) {
    return WithHint(
        absl::InvalidArgumentError("--repeat goes with --decode only"),
        "bring the target back to where the record began before each --apply");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CheckOptions> BindCheck(const OptionValues& values) {
  ASSIGN_OR_RETURN(MigrateOptions migrate, BindMigrate(values));
  return CheckOptions{.migrate = std::move(migrate)};
}

absl::StatusOr<MigrateOptions> BindMigrate(const OptionValues& values) {
  MigrateOptions options;
  if (!values.Flag(OptionId::kAllDatabases)) {
    RETURN_IF_ERROR(RefuseServerOptions(values));
  }
  ASSIGN_OR_RETURN(options.mode, BindMode(values));
  ASSIGN_OR_RETURN(options.endpoints, BindEndpoints(values));
  ASSIGN_OR_RETURN(options.publication, BindPublication(values));
  options.stream = BindStream(values);
  options.scope = BindScope(values);
  options.scope.delay_table_data = values.List(OptionId::kDelayTableData);
  ASSIGN_OR_RETURN(options.scope.part, BindPart(values));
  RETURN_IF_ERROR(CheckDropAndPart(values));
  options.drop_target_first = values.Flag(OptionId::kDropTargetFirst);
  options.slot = values.Text(OptionId::kSlot);
  ASSIGN_OR_RETURN(options.accept, BindAccept(values, IdsToAccept(values),
                                              "walferry check --json"));
  BindCopy(values, options);
  ASSIGN_OR_RETURN(options.fast_target, BindFastTarget(values));
  BindCutoverPlan(values, options);
  RETURN_IF_ERROR(CheckMayDelay(options));
  return options;
}

absl::StatusOr<ServerMigrateOptions> BindServerMigrate(
    const OptionValues& values) {
  RETURN_IF_ERROR(CheckAllDatabases(values));
  ServerMigrateOptions options;
  ASSIGN_OR_RETURN(options.migrate, BindMigrate(values));
  options.delay_table_data.swap(options.migrate.scope.delay_table_data);
  RETURN_IF_ERROR(CheckDelayPatterns(options.delay_table_data));
  options.databases = {
      .databases = values.List(OptionId::kDatabase),
      .exclude_databases = values.List(OptionId::kExcludeDatabase)};
  options.globals = !values.Flag(OptionId::kNoGlobals);
  ASSIGN_OR_RETURN(options.globals_plan, BindGlobalsPlan(values));
  options.use_existing = values.Flag(OptionId::kUseExisting);
  const auto integer = [&](OptionId id) {
    return static_cast<int>(values.Integer(id));
  };
  options.max_parallel = integer(OptionId::kMaxParallel);
  options.dump_parallel = integer(OptionId::kDumpParallel);
  options.restore_parallel = integer(OptionId::kRestoreParallel);
  options.verify_concurrency = integer(OptionId::kVerifyConcurrency);
  return options;
}

absl::StatusOr<FollowOptions> BindFollow(const OptionValues& values) {
  FollowOptions options;
  ASSIGN_OR_RETURN(options.endpoints, BindEndpoints(values));
  ASSIGN_OR_RETURN(options.slot, Required(values, OptionId::kSlot));
  ASSIGN_OR_RETURN(options.publications, RequiredPublications(values));
  options.until_lsn = values.LsnValue(OptionId::kUntilLsn);
  options.stream = BindStream(values);
  return options;
}

absl::StatusOr<CutoverOptions> BindCutover(const OptionValues& values) {
  CutoverOptions options;
  ASSIGN_OR_RETURN(options.target, RequiredConnInfo(values, OptionId::kTarget));
  options.name = values.Text(OptionId::kName);
  options.ledger_schema = values.Text(OptionId::kLedgerSchema);
  options.wait = values.Duration(OptionId::kWait);
  return options;
}

absl::StatusOr<StatusOptions> BindStatus(const OptionValues& values) {
  StatusOptions options;
  ASSIGN_OR_RETURN(options.target, RequiredConnInfo(values, OptionId::kTarget));
  options.name = values.Text(OptionId::kName);
  options.ledger_schema = values.Text(OptionId::kLedgerSchema);
  return options;
}

absl::StatusOr<CleanupOptions> BindCleanup(const OptionValues& values) {
  CleanupOptions options;
  ASSIGN_OR_RETURN(options.endpoints, BindEndpoints(values));
  options.force = values.Flag(OptionId::kForce);
  return options;
}

absl::StatusOr<CaptureOptions> BindCapture(const OptionValues& values) {
  CaptureOptions options;
  ASSIGN_OR_RETURN(options.source, RequiredConnInfo(values, OptionId::kSource));
  ASSIGN_OR_RETURN(options.publications, RequiredPublications(values));
  ASSIGN_OR_RETURN(options.output, Required(values, OptionId::kOutput));
  options.slot = values.Text(OptionId::kSlot);
  options.until_lsn = values.LsnValue(OptionId::kUntilLsn);
  options.connect_timeout = values.Duration(OptionId::kConnectTimeout);
  return options;
}

absl::StatusOr<ReplayOptions> BindReplay(const OptionValues& values) {
  ReplayOptions options;
  ASSIGN_OR_RETURN(options.input, Required(values, OptionId::kInput));
  RETURN_IF_ERROR(CheckReplay(values));
  if (!values.Flag(OptionId::kDecode)) {
    ASSIGN_OR_RETURN(options.target,
                     RequiredConnInfo(values, OptionId::kApply));
  }
  options.repeat = static_cast<int>(values.Integer(OptionId::kRepeat));
  options.batch_bytes =
      BatchBytesFor(values.Bytes(OptionId::kMemory), /*apply_jobs=*/1);
  options.connect_timeout = values.Duration(OptionId::kConnectTimeout);
  return options;
}

absl::StatusOr<GlobalsOptions> BindGlobals(const OptionValues& values) {
  GlobalsOptions options;
  ASSIGN_OR_RETURN(options.endpoints.source,
                   RequiredConnInfo(values, OptionId::kSource));
  ASSIGN_OR_RETURN(options.endpoints.target,
                   RequiredConnInfo(values, OptionId::kTarget));
  options.endpoints.connect_timeout =
      values.Duration(OptionId::kConnectTimeout);
  ASSIGN_OR_RETURN(options.plan, BindGlobalsPlan(values));
  ASSIGN_OR_RETURN(options.accept, BindAccept(values, GlobalsFindingIds(),
                                              "walferry globals --dry-run"));
  options.dry_run = values.Flag(OptionId::kDryRun);
  return options;
}

}  // namespace walferry

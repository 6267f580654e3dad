#include "tools/archive_binding.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/archive/compression.h"
#include "protocol/status.h"
#include "tools/part_option.h"
#include "tools/required_option.h"

namespace walferry {
namespace {

ArchiveFormat BindFormat(const OptionValues& values) {
  const std::string& name = values.Text(OptionId::kFormat);
  if (name == "custom") return ArchiveFormat::kCustom;
  return name == "plain" ? ArchiveFormat::kPlain : ArchiveFormat::kDirectory;
}

ScopeOptions BindExclusions(const OptionValues& values) {
  return {.schemas = {},
          .exclude_schemas = values.List(OptionId::kExcludeSchema),
          .tables = {},
          .exclude_tables = values.List(OptionId::kExcludeTable),
          .exclude_table_data = values.List(OptionId::kExcludeTableData)};
}

int IntegerOf(const OptionValues& values, OptionId id) {
  return static_cast<int>(values.Integer(id));
}

absl::StatusOr<std::string> BindCompression(const OptionValues& values) {
  const std::string& text = values.Text(OptionId::kCompress);
  if (text.empty()) return text;
  const absl::Status status = ParseCompression(text).status();
  if (status.ok()) return text;
  return Annotate(status, values.entry(OptionId::kCompress).where);
}

// The first of them that was asked for in so many words, or nullptr.
const OptionValues::Entry* FirstFlag(const OptionValues& values,
                                     absl::Span<const OptionId> ids) {
  for (const OptionId id : ids) {
    if (values.entry(id).origin == OriginKind::kFlag) return &values.entry(id);
  }
  return nullptr;
}

absl::Status CheckStream(const OptionValues& values) {
  const auto* const flag =
      FirstFlag(values, {OptionId::kFormat, OptionId::kCompress,
                         OptionId::kArchiveDir, OptionId::kDiskShare,
                         OptionId::kAllowRestoreErrors, OptionId::kInput});
  if (flag == nullptr) return absl::OkStatus();
  return WithHint(absl::InvalidArgumentError(absl::StrCat(
                      flag->where, " goes with --via archive only")),
                  "what is streamed from server to server touches no disk in "
                  "between");
}

absl::Status CheckArchive(const OptionValues& values,
                          const MigrateOptions& migrate) {
  if (migrate.mode == MigrateMode::kOnline) {
    return WithHint(
        absl::InvalidArgumentError(
            "--via archive goes with --mode offline only"),
        "changes are followed from where rows were copied, which an archive "
        "does not say");
  }
  // Whoever has set these, too: more than is wanted would be moved.
  if (!migrate.scope.schemas.empty() || !migrate.scope.tables.empty()) {
    return WithHint(absl::InvalidArgumentError(
                        "--schema and --table go with --via stream only"),
                    "an archive is of a whole database: use --exclude-schema "
                    "and --exclude-table");
  }
  if (!migrate.scope.delay_table_data.empty()) {
    return WithHint(absl::InvalidArgumentError(
                        "--delay-table-data goes with --via stream only"),
                    "an archive is restored as a whole");
  }
  if (!migrate.scope.carries_schema()) {
    return WithHint(
        absl::InvalidArgumentError("--data-only goes with --via stream only"),
        "or use `walferry dump --data-only` and `walferry restore`");
  }
  if (migrate.fast_target) {
    return WithHint(
        absl::InvalidArgumentError("--fast-target goes with --via stream only"),
        "what is put back after a crash is noted in a migration's ledger, and "
        "a restore keeps none");
  }
  if (const auto* const flag =
          FirstFlag(values, {OptionId::kSplitSize, OptionId::kNoSequenceSync,
                             OptionId::kBinary})) {
    return WithHint(absl::InvalidArgumentError(absl::StrCat(
                        flag->where, " goes with --via stream only")),
                    "pg_dump and pg_restore carry an archive's rows");
  }
  if (values.Flag(OptionId::kAllowRestoreErrors) &&
      values.Text(OptionId::kInput).empty() &&
      BindFormat(values) == ArchiveFormat::kPlain) {
    return WithHint(
        absl::InvalidArgumentError("--format plain and --allow-restore-errors "
                                   "exclude each other"),
        "psql would run the rows behind a COPY that failed as SQL: use the "
        "format directory or custom");
  }
  const bool excludes = !(migrate.scope.exclude_schemas.empty() &&
                          migrate.scope.exclude_tables.empty() &&
                          migrate.scope.exclude_table_data.empty());
  if (excludes && !values.Text(OptionId::kInput).empty()) {
    return WithHint(
        absl::InvalidArgumentError("--input and exclusions exclude each other"),
        "an archive that is there is restored as it is");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DumpOptions> BindDump(const OptionValues& values) {
  DumpOptions options;
  ASSIGN_OR_RETURN(options.source, RequiredConnInfo(values, OptionId::kSource));
  ASSIGN_OR_RETURN(const ScopePart part, BindPart(values));
  options.format = BindFormat(values);
  ASSIGN_OR_RETURN(options.compression, BindCompression(values));
  options.output = values.Text(OptionId::kOutput);
  options.archive_folder = values.Text(OptionId::kArchiveDir);
  options.jobs = IntegerOf(values, OptionId::kJobs);
  options.schema_only = part == ScopePart::kSchema;
  options.data_only = part == ScopePart::kRows;
  options.no_owner = values.Flag(OptionId::kNoOwner);
  options.no_acl = values.Flag(OptionId::kNoAcl);
  options.scope = BindExclusions(values);
  options.disk_share = IntegerOf(values, OptionId::kDiskShare);
  options.pg_dump = values.Text(OptionId::kPgDump);
  options.connect_timeout = values.Duration(OptionId::kConnectTimeout);
  return options;
}

absl::StatusOr<RestoreOptions> BindRestore(const OptionValues& values) {
  RestoreOptions options;
  ASSIGN_OR_RETURN(options.input, Required(values, OptionId::kInput));
  ASSIGN_OR_RETURN(options.target, RequiredConnInfo(values, OptionId::kTarget));
  ASSIGN_OR_RETURN(const ScopePart part, BindPart(values));
  options.no_owner = values.Flag(OptionId::kNoOwner);
  options.no_acl = values.Flag(OptionId::kNoAcl);
  options.schema_only = part == ScopePart::kSchema;
  options.data_only = part == ScopePart::kRows;
  options.drop_target_first = values.Flag(OptionId::kDropTargetFirst);
  RETURN_IF_ERROR(CheckDropAndPart(values));
  options.allow_errors = values.Flag(OptionId::kAllowRestoreErrors);
  options.analyze = !values.Flag(OptionId::kNoAnalyze);
  options.jobs = IntegerOf(values, OptionId::kJobs);
  options.index_jobs = IntegerOf(values, OptionId::kIndexJobs);
  options.disk_share = IntegerOf(values, OptionId::kDiskShare);
  options.pg_dump = values.Text(OptionId::kPgDump);
  options.connect_timeout = values.Duration(OptionId::kConnectTimeout);
  return options;
}

absl::StatusOr<ArchiveMigrationOptions> BindArchiveMigration(
    const OptionValues& values, MigrateOptions migrate) {
  ArchiveMigrationOptions options;
  RETURN_IF_ERROR(values.Text(OptionId::kVia) == "archive"
                      ? CheckArchive(values, migrate)
                      : CheckStream(values));
  options.migrate = std::move(migrate);
  options.format = BindFormat(values);
  ASSIGN_OR_RETURN(options.compression, BindCompression(values));
  options.archive_folder = values.Text(OptionId::kArchiveDir);
  options.disk_share = IntegerOf(values, OptionId::kDiskShare);
  options.allow_errors = values.Flag(OptionId::kAllowRestoreErrors);
  options.input = values.Text(OptionId::kInput);
  return options;
}

absl::StatusOr<DrillOptions> BindDrill(const OptionValues& values) {
  DrillOptions options;
  options.input = values.Text(OptionId::kInput);
  const OriginKind source = values.entry(OptionId::kSource).origin;
  if (options.input.empty()) {
    if (source == OriginKind::kDefault) {
      return WithHint(absl::InvalidArgumentError(
                          "neither an archive nor a source is given"),
                      "use --input PATH, or --source URI for a fresh dump");
    }
    ASSIGN_OR_RETURN(options.source,
                     RequiredConnInfo(values, OptionId::kSource));
  } else if (source == OriginKind::kFlag) {
    return WithHint(
        absl::InvalidArgumentError("--input and --source exclude each other"),
        "drill one after the other");
  } else if (const auto* const flag = FirstFlag(
                 values, {OptionId::kExcludeSchema, OptionId::kExcludeTable,
                          OptionId::kExcludeTableData})) {
    return WithHint(absl::InvalidArgumentError(absl::StrCat(
                        "--input and ", flag->where, " exclude each other")),
                    "an archive that is there is drilled as it is");
  }
  ASSIGN_OR_RETURN(options.target, RequiredConnInfo(values, OptionId::kTarget));
  options.allow_partial = values.Flag(OptionId::kAllowPartial);
  if (const absl::Duration max_age = values.Duration(OptionId::kMaxAge);
      max_age > absl::ZeroDuration()) {
    options.max_age = max_age;
  }
  options.keep = values.Flag(OptionId::kKeep);
  options.no_owner = values.Flag(OptionId::kNoOwner);
  options.no_acl = values.Flag(OptionId::kNoAcl);
  options.jobs = IntegerOf(values, OptionId::kJobs);
  options.index_jobs = IntegerOf(values, OptionId::kIndexJobs);
  options.archive_folder = values.Text(OptionId::kArchiveDir);
  options.scope = BindExclusions(values);
  options.disk_share = IntegerOf(values, OptionId::kDiskShare);
  options.pg_dump = values.Text(OptionId::kPgDump);
  options.connect_timeout = values.Duration(OptionId::kConnectTimeout);
  return options;
}

}  // namespace walferry

#include "tools/archive_binding.h"

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

}  // namespace

absl::StatusOr<DumpOptions> BindDump(const OptionValues& values) {
  DumpOptions options;
  ASSIGN_OR_RETURN(options.source, RequiredConnInfo(values, OptionId::kSource));
  ASSIGN_OR_RETURN(const ScopePart part, BindPart(values));
  options.format = BindFormat(values);
  options.compression = values.Text(OptionId::kCompress);
  if (!options.compression.empty()) {
    const absl::Status status = ParseCompression(options.compression).status();
    if (!status.ok()) {
      return Annotate(status, values.entry(OptionId::kCompress).where);
    }
  }
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
  if (options.drop_target_first && options.data_only) {
    return WithHint(
        absl::InvalidArgumentError(
            "--drop-target-first and --data-only exclude each other"),
        "a database that was dropped has no tables for the rows");
  }
  options.allow_errors = values.Flag(OptionId::kAllowRestoreErrors);
  options.analyze = !values.Flag(OptionId::kNoAnalyze);
  options.jobs = IntegerOf(values, OptionId::kJobs);
  options.index_jobs = IntegerOf(values, OptionId::kIndexJobs);
  options.disk_share = IntegerOf(values, OptionId::kDiskShare);
  options.pg_dump = values.Text(OptionId::kPgDump);
  options.connect_timeout = values.Duration(OptionId::kConnectTimeout);
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
  }
  ASSIGN_OR_RETURN(options.target, RequiredConnInfo(values, OptionId::kTarget));
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

#include "engine/archive/archive_dump.h"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "engine/archive/archive_phase.h"
#include "engine/archive/compression.h"
#include "engine/archive/disk_files.h"
#include "engine/archive/manifest.h"
#include "engine/archive/target_database.h"
#include "engine/connect/connect.h"
#include "engine/connect/server_identity.h"
#include "engine/connect/shared_session.h"
#include "engine/schema/dump_connection.h"
#include "engine/schema/dump_exclusions.h"
#include "engine/schema/dump_failure.h"
#include "engine/schema/pg_tools.h"
#include "engine/schema/subprocess.h"
#include "protocol/status.h"

namespace walferry {
namespace {

namespace fs = std::filesystem;

// For those who change a table that is to be locked.
constexpr absl::Duration kLockTimeout = absl::Minutes(2);

std::string FileIn(const std::string& folder, ArchiveFormat format) {
  switch (format) {
    case ArchiveFormat::kDirectory:
      return folder;
    case ArchiveFormat::kCustom:
      return absl::StrCat(folder, "/", kCustomName);
    case ArchiveFormat::kPlain:
      return absl::StrCat(folder, "/", kPlainName);
  }
  return folder;
}

// As the operator has given them.
std::vector<std::string> OmissionsOf(const DumpOptions& options) {
  std::vector<std::string> omissions;
  if (options.schema_only) omissions.emplace_back("--schema-only");
  if (options.data_only) omissions.emplace_back("--data-only");
  if (options.no_owner && options.format == ArchiveFormat::kPlain) {
    omissions.emplace_back("--no-owner");
  }
  if (options.no_acl) omissions.emplace_back("--no-acl");
  if (options.no_replication && options.format == ArchiveFormat::kPlain) {
    for (const absl::string_view option : kReplicationOptions) {
      omissions.emplace_back(option);
    }
  }
  const auto add = [&](absl::string_view option,
                       const std::vector<std::string>& patterns) {
    for (const std::string& pattern : patterns) {
      omissions.push_back(absl::StrCat(option, " ", pattern));
    }
  };
  add("--exclude-schema", options.scope.exclude_schemas);
  add("--exclude-table", options.scope.exclude_tables);
  add("--exclude-table-data", options.scope.exclude_table_data);
  return omissions;
}

bool Exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

std::string ParentOf(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

class Dump {
 public:
  Dump(const DumpOptions& options, PgConnection& source,
       const std::string& snapshot, Control& control, EventSink& events)
      : options_(options),
        source_(source),
        snapshot_(snapshot),
        control_(control),
        events_(events) {}

  absl::StatusOr<DumpReport> Make() {
    RETURN_IF_ERROR(InPhase(Phase::kCheck, events_, [&] { return Prepare(); }));
    auto remove = absl::MakeCleanup([&] {
      std::error_code ignored;
      fs::remove_all(unfinished_, ignored);
    });
    RETURN_IF_ERROR(InPhase(Phase::kCopy, events_, [&] { return Write(); }));
    RETURN_IF_ERROR(Seal());
    std::move(remove).Cancel();
    report_.elapsed = absl::Now() - started_;
    return std::move(report_);
  }

 private:
  // All that can be wrong is found before anything is written.
  absl::Status Prepare() {
    RETURN_IF_ERROR(ReadFacts());
    ASSIGN_OR_RETURN(tools_,
                     FindPgTools({.pg_dump = options_.pg_dump,
                                  .source_version = source_.server_version(),
                                  .target_version = source_.server_version(),
                                  .interrupt = &control_.interrupt()},
                                 PgToolDirectories()));
    report_.facts.client_version = tools_.version;
    ASSIGN_OR_RETURN(const Compression compression,
                     ChooseCompression(options_.compression, options_.format,
                                       tools_, &control_.interrupt()));
    report_.facts.compression = compression.Text();
    compress_ = compression.Argument(tools_.major);
    RETURN_IF_ERROR(ReadExclusions());
    report_.path = options_.output;
    if (report_.path.empty()) {
      report_.path = absl::StrCat(
          options_.archive_folder.empty() ? "." : options_.archive_folder, "/",
          ArchiveName(source_.dbname(), report_.facts.time));
    }
    RETURN_IF_ERROR(CheckSpace());
    return MakeFolder();
  }

  absl::Status ReadFacts() {
    ArchiveFacts& facts = report_.facts;
    facts.format = options_.format;
    // As exactly as it is written down.
    facts.time = absl::FromUnixSeconds(absl::ToUnixSeconds(started_));
    facts.omissions = OmissionsOf(options_);
    facts.database = source_.dbname();
    facts.server_version = ServerVersionOf(source_);
    facts.encoding = source_.parameter("server_encoding");
    ASSIGN_OR_RETURN(facts.system_identifier, SystemIdentifierOf(source_));
    ASSIGN_OR_RETURN(const PgResult size,
                     source_.Exec("SELECT pg_catalog.pg_database_size("
                                  "pg_catalog.current_database())"));
    ASSIGN_OR_RETURN(facts.database_bytes, size.Int64(0, 0));
    return absl::OkStatus();
  }

  absl::Status ReadExclusions() {
    if (options_.scope == ScopeOptions{}) return absl::OkStatus();
    ASSIGN_OR_RETURN(const Catalog catalog,
                     ReadDumpCatalog(source_, options_.scope));
    ASSIGN_OR_RETURN(exclusions_, DumpExclusionsWithData(catalog));
    return absl::OkStatus();
  }

  absl::Status CheckSpace() {
    if (options_.disk_share == 0 || options_.schema_only) {
      return absl::OkStatus();
    }
    const std::string folder = ParentOf(report_.path);
    ASSIGN_OR_RETURN(const int64_t free, FreeBytes(folder));
    const int64_t wanted =
        report_.facts.database_bytes / 100 * options_.disk_share;
    if (free >= wanted) return absl::OkStatus();
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat(
            "the disk of ", folder, " has ", free >> 20, " MiB free, but ",
            options_.disk_share, "% of the database's size are ", wanted >> 20,
            " MiB")),
        "free space, name another folder, or ask for less with --disk-share "
        "if you know that the archive is smaller");
  }

  absl::Status MakeFolder() {
    unfinished_ = absl::StrCat(report_.path, ".unfinished");
    if (Exists(report_.path)) {
      return WithHint(
          absl::AlreadyExistsError(absl::StrCat(report_.path, " exists")),
          "an archive is never written over: name another folder, or remove "
          "this one first");
    }
    std::error_code error;
    // Rows are nobody else's business.
    if (fs::create_directory(unfinished_, error)) {
      fs::permissions(unfinished_, fs::perms::owner_all, error);
      if (!error) return absl::OkStatus();
    }
    if (error) return absl::ErrnoToStatus(error.value(), unfinished_);
    return WithHint(
        absl::AlreadyExistsError(absl::StrCat(unfinished_, " exists")),
        "a dump that was killed has left it, or one is running: remove it if "
        "none is");
  }

  std::vector<std::string> Arguments(const std::string& conninfo) const {
    std::vector<std::string> arguments = {
        tools_.pg_dump,
        absl::StrCat("--dbname=", conninfo),
        "--no-password",
        absl::StrCat("--format=", FormatName(options_.format)),
        absl::StrCat("--file=", FileIn(unfinished_, options_.format)),
        compress_,
        absl::StrCat("--lock-wait-timeout=",
                     absl::ToInt64Milliseconds(kLockTimeout))};
    if (options_.format == ArchiveFormat::kDirectory) {
      arguments.push_back(absl::StrCat("--jobs=", options_.jobs));
    }
    if (options_.schema_only) arguments.emplace_back("--schema-only");
    if (options_.data_only) arguments.emplace_back("--data-only");
    if (options_.no_acl) arguments.emplace_back("--no-acl");
    if (options_.no_owner && options_.format == ArchiveFormat::kPlain) {
      arguments.emplace_back("--no-owner");
    }
    if (options_.no_replication && options_.format == ArchiveFormat::kPlain) {
      for (const absl::string_view option : kReplicationOptions) {
        arguments.emplace_back(option);
      }
    }
    if (!snapshot_.empty()) {
      arguments.push_back(absl::StrCat("--snapshot=", snapshot_));
    }
    arguments.insert(arguments.end(), exclusions_.begin(), exclusions_.end());
    return arguments;
  }

  absl::Status Write() {
    if (options_.no_owner && options_.format != ArchiveFormat::kPlain) {
      Notify(Notice::Level::kInfo,
             "owners stay in the archive, which can be restored without them: "
             "walferry restore --no-owner");
    }
    ASSIGN_OR_RETURN(
        const DumpConnection connection,
        ConnectionForDump(options_.source, options_.connect_timeout));
    ByteProgress progress(Phase::kCopy, events_, /*bytes_total=*/0);
    SubprocessOptions run = {
        .argv = Arguments(connection.conninfo),
        .environment = connection.environment,
        .dropped_prefix = "PG",
        .input = connection.input,
        .while_running =
            [&] { progress.Tell([&] { return BytesOfFolder(unfinished_); }); },
        .interrupt = &control_.interrupt()};
    run.environment.emplace_back("LC_ALL", "C");
    ASSIGN_OR_RETURN(const SubprocessResult result, RunSubprocess(run));
    if (!result.ok()) return Failure(result);
    for (const std::string& text : DumpWarnings("pg_dump", result.errors)) {
      Notify(Notice::Level::kWarning, text);
    }
    return absl::OkStatus();
  }

  absl::Status Failure(const SubprocessResult& result) const {
    absl::Status status = DumpFailure("pg_dump", result);
    if (!absl::StrContains(result.errors, "No space left on device")) {
      return status;
    }
    return WithHint(std::move(status),
                    absl::StrCat("the disk of ", ParentOf(report_.path),
                                 " is full; what was written is removed"));
  }

  // From here on it is one archive or none.
  absl::Status Seal() {
    report_.facts.archive_bytes = BytesOfFolder(unfinished_);
    RETURN_IF_ERROR(WriteWholeFile(absl::StrCat(unfinished_, "/", kFactsName),
                                   FactsToJson(report_.facts)));
    ASSIGN_OR_RETURN(
        const std::vector<ManifestEntry> entries,
        DigestFolder(unfinished_,
                     {.interrupt = &control_.interrupt(), .on_bytes = {}}));
    RETURN_IF_ERROR(
        WriteWholeFile(absl::StrCat(unfinished_, "/", kManifestName),
                       FormatManifest(entries)));
    RETURN_IF_ERROR(SyncFolder(unfinished_));
    return RenameFolder(unfinished_, report_.path);
  }

  void Notify(Notice::Level level, std::string text) {
    events_.OnEvent(Notice{.level = level, .text = std::move(text)});
  }

  const DumpOptions& options_;
  PgConnection& source_;
  const std::string& snapshot_;
  Control& control_;
  EventSink& events_;
  const absl::Time started_ = absl::Now();
  PgTools tools_;
  std::string compress_;
  std::vector<std::string> exclusions_;
  std::string unfinished_;
  DumpReport report_;
};

}  // namespace

std::string ArchiveName(absl::string_view database, absl::Time time) {
  std::string name(database);
  for (char& byte : name) {
    const bool plain = absl::ascii_isalnum(static_cast<unsigned char>(byte)) ||
                       byte == '_' || byte == '-';
    if (!plain) byte = '_';
  }
  return absl::StrCat(
      name, "-", absl::FormatTime("%Y%m%dT%H%M%SZ", time, absl::UTCTimeZone()));
}

absl::StatusOr<PgConnection> OpenDumpSource(const DumpOptions& options,
                                            const Control& control) {
  const Connector connector{
      .endpoints = {.source = options.source,
                    .target = "",
                    .name = "archive",
                    .connect_timeout = options.connect_timeout},
      .interrupt = &control.interrupt()};
  ASSIGN_OR_RETURN(PgConnection source,
                   connector.OpenSource("dump", Contact::kFirst));
  RETURN_IF_ERROR(RefuseOneSession(source, "source"));
  return source;
}

absl::StatusOr<Catalog> ReadDumpCatalog(PgConnection& source,
                                        const ScopeOptions& scope) {
  ASSIGN_OR_RETURN(const Scope valid, Scope::Create(scope));
  return ReadCatalog(source, valid, CatalogSizes::kNo);
}

absl::StatusOr<DumpReport> DumpArchive(const DumpOptions& options,
                                       PgConnection& source,
                                       const std::string& snapshot,
                                       Control& control, EventSink& events) {
  return Dump(options, source, snapshot, control, events).Make();
}

absl::StatusOr<DumpReport> RunDump(const DumpOptions& options, Control& control,
                                   EventSink& events) {
  ASSIGN_OR_RETURN(PgConnection source, OpenDumpSource(options, control));
  return DumpArchive(options, source, /*snapshot=*/"", control, events);
}

}  // namespace walferry

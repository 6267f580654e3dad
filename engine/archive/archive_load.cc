#include "engine/archive/archive_load.h"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/archive/archive_contents.h"
#include "engine/archive/archive_phase.h"
#include "engine/archive/disk_files.h"
#include "engine/archive/script_start.h"
#include "engine/catalog/catalog.h"
#include "engine/name_some.h"
#include "engine/schema/analyze.h"
#include "engine/schema/dump_failure.h"
#include "engine/schema/subprocess.h"
#include "protocol/pg_startup_options.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr char kDatabaseSize[] =
    "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())";

constexpr absl::Duration kSizeTimeout = absl::Seconds(5);

constexpr int64_t kToldWarnings = 50;

// Of a script, with all that its beginning sets.
constexpr size_t kSettings = size_t{64} << 10;

// What one run of the program does.
struct Part {
  Phase phase;
  std::vector<std::string> arguments;
  int jobs;
};

// The rows apart from what stands before and behind them, so that indexes have
// jobs of their own and each phase can be told.
std::vector<Part> PartsOf(const LoadOptions& options) {
  if (options.data_only) {
    return {{Phase::kCopy, {"--data-only"}, options.jobs}};
  }
  std::vector<Part> parts = {
      {Phase::kSchema, {"--section=pre-data"}, 1},
      {Phase::kCopy, {"--section=data"}, options.jobs},
      {Phase::kIndexes, {"--section=post-data"}, options.index_jobs}};
  if (!options.schema_only) return parts;
  parts.erase(parts.begin() + 1);
  // Large objects are rows, wherever they stand.
  for (Part& part : parts) part.arguments.emplace_back("--schema-only");
  return parts;
}

class Load {
 public:
  Load(const ArchiveInput& input, const PgTools& tools,
       const TargetDatabase& target, const LoadOptions& options,
       const Interrupt& interrupt, EventSink& events)
      : input_(input),
        tools_(tools),
        target_(target),
        options_(options),
        interrupt_(interrupt),
        events_(events),
        stop_(&interrupt),
        errors_(input.format == ArchiveFormat::kPlain
                    ? RestoreErrorReader::Program::kPsql
                    : RestoreErrorReader::Program::kPgRestore,
                {.on_error = [this](const RestoreError& error) { Take(error); },
                 .on_warning =
                     [this](const std::string& text) { TellWarning(text); }}) {}

  absl::StatusOr<std::vector<RestoreErrorKind>> Run() {
    ASSIGN_OR_RETURN(connection_, target_.ForChild());
    OpenProgressSession();
    if (in_english_) {
      ASSIGN_OR_RETURN(const std::string options,
                       OptionsWithSetting(target_.connector.endpoints.target,
                                          "lc_messages=C"));
      absl::StrAppend(&connection_.conninfo, " ", options);
    }
    const absl::Status done = RunParts();
    if (warnings_ > kToldWarnings) {
      Warn(absl::StrCat(Program(), ": and ",
                        CountOf(warnings_ - kToldWarnings, "more warning")));
    }
    RETURN_IF_ERROR(done);
    return errors_.Kinds();
  }

 private:
  absl::Status RunParts() {
    if (input_.format == ArchiveFormat::kPlain) {
      return InPhase(Phase::kCopy, events_, [&] { return RunPsql(); });
    }
    for (const Part& part : PartsOf(options_)) {
      RETURN_IF_ERROR(
          InPhase(part.phase, events_, [&] { return RunPgRestore(part); }));
    }
    return absl::OkStatus();
  }

  absl::string_view Program() const {
    return input_.format == ArchiveFormat::kPlain ? "psql" : "pg_restore";
  }

  // Otherwise pg_restore would stop at an error that is harmless, and we end it
  // at the first one that is not: from 17 on it makes a setting that an older
  // server does not know.
  bool StopsByItself() const {
    return !options_.allow_errors && options_.server_version >= 170000;
  }

  // Without one, or with one that does not answer, it goes on without figures.
  // It also shows whether the role may ask for English messages, in which the
  // end of a link is known by its words.
  void OpenProgressSession() {
    PgConnectOptions options = target_.Options("progress");
    options.statement_timeout = kSizeTimeout;
    PgConnectOptions english = options;
    english.settings.emplace_back("lc_messages", "C");
    absl::StatusOr<PgConnection> session = PgConnection::Open(english);
    in_english_ = session.ok();
    if (!in_english_) session = PgConnection::Open(options);
    if (session.ok()) progress_session_.emplace(*std::move(session));
  }

  void Take(const RestoreError& error) {
    if (!first_error_.has_value()) first_error_ = error;
    if (options_.allow_errors) {
      Warn(error.Text());
    } else {
      stop_.Raise();
    }
  }

  // One that comes for every row must not fill the log.
  void TellWarning(const std::string& text) {
    if (++warnings_ <= kToldWarnings) {
      Warn(absl::StrCat(Program(), ": ", text));
    }
  }

  void Warn(std::string text) {
    events_.OnEvent(
        Notice{.level = Notice::Level::kWarning, .text = std::move(text)});
  }

  absl::Status RunPgRestore(const Part& part) {
    std::vector<std::string> argv = {
        tools_.pg_restore, absl::StrCat("--dbname=", connection_.conninfo),
        "--no-password"};
    argv.insert(argv.end(), part.arguments.begin(), part.arguments.end());
    if (input_.parallel) argv.push_back(absl::StrCat("--jobs=", part.jobs));
    if (StopsByItself()) argv.emplace_back("--exit-on-error");
    if (options_.no_owner) argv.emplace_back("--no-owner");
    if (options_.no_acl) argv.emplace_back("--no-acl");
    if (options_.no_replication) {
      argv.emplace_back("--no-publications");
      argv.emplace_back("--no-subscriptions");
    }
    argv.push_back(input_.path);
    ASSIGN_OR_RETURN(const SubprocessResult result,
                     RunChild(part.phase, {.argv = std::move(argv),
                                           .input = connection_.input}));
    // It says how many it has ignored only when it has come to the end.
    const bool complete = result.ok() || counts_.ignored.has_value();
    RETURN_IF_ERROR(Verdict("pg_restore", result, complete));
    const absl::Status agreed = CompareErrorCounts(
        counts_, result.exit_code, input_.parallel ? part.jobs : 1);
    return agreed.ok() ? agreed : PartlyDone(agreed);
  }

  // Of a script psql runs everything: pg_restore could leave out a part, and
  // goes on behind the rows where a table's were refused.
  absl::Status RunPsql() {
    if (options_.no_replication) RETURN_IF_ERROR(RefuseSubscriptions(input_));
    ASSIGN_OR_RETURN(const std::string beginning,
                     ReadBeginning(input_.path, kSettings));
    const ScriptStart start = StartOfScript(beginning, options_.server_version);
    SubprocessOptions run = {
        .argv = {(std::filesystem::path(tools_.pg_restore).parent_path() /
                  "psql")
                     .string(),
                 absl::StrCat("--dbname=", connection_.conninfo),
                 "--no-password", "--no-psqlrc", "--quiet", "--echo-errors",
                 "--set=VERBOSITY=verbose", "--set=ON_ERROR_STOP=1",
                 "--output=/dev/null"},
        .input = connection_.input};
    if (start.offset == 0) {
      run.argv.push_back(absl::StrCat("--file=", input_.path));
    } else {
      RETURN_IF_ERROR(BeginLater(start, run));
    }
    ASSIGN_OR_RETURN(const SubprocessResult result,
                     RunChild(Phase::kCopy, std::move(run)));
    return Verdict("psql", result, result.ok());
  }

  absl::Status BeginLater(const ScriptStart& start, SubprocessOptions& run) {
    if (!connection_.input.empty()) {
      return WithHint(
          absl::FailedPreconditionError(absl::StrCat(
              input_.path,
              " was written for PostgreSQL 17 or later, and psql would have to "
              "read both it and a secret of the target's connection string "
              "from its input")),
          "connect without that secret, or dump in the format custom or "
          "directory");
    }
    for (const std::string& command : start.commands) {
      run.argv.push_back(absl::StrCat("--command=", command));
    }
    run.argv.emplace_back("--file=-");
    run.input_file = input_.path;
    run.input_offset = start.offset;
    errors_.SkipLines(start.lines);
    return absl::OkStatus();
  }

  absl::StatusOr<SubprocessResult> RunChild(Phase phase,
                                            SubprocessOptions run) {
    const int64_t total =
        input_.facts.has_value() ? input_.facts->database_bytes : 0;
    ByteProgress progress(phase, events_, total);
    run.environment = connection_.environment;
    run.environment.emplace_back("LC_ALL", "C");
    run.dropped_prefix = "PG";
    run.on_errors = [this](absl::string_view piece) { errors_.Add(piece); };
    run.while_running = [&] {
      progress.Tell([this] { return DatabaseBytes(); });
    };
    run.interrupt = &stop_;
    absl::StatusOr<SubprocessResult> result = RunSubprocess(run);
    counts_ = errors_.Finish();
    if (!result.ok() && first_error_.has_value() && !interrupt_.raised()) {
      return FirstError();
    }
    if (!result.ok()) return PartlyDone(result.status());
    return result;
  }

  int64_t DatabaseBytes() {
    if (!progress_session_.has_value()) return bytes_;
    const absl::StatusOr<PgResult> size =
        progress_session_->Exec(kDatabaseSize);
    if (size.ok()) bytes_ = size->Int64(0, 0).value_or(bytes_);
    if (progress_session_->broken()) progress_session_.reset();
    return bytes_;
  }

  absl::Status FirstError() const {
    const std::string text = absl::StrCat("restore: ", first_error_->Text());
    // Not in what it quotes, nor in a row that its detail shows.
    return PartlyDone(TellsOfLostLink(ShapeOf(first_error_->message))
                          ? absl::UnavailableError(text)
                          : absl::FailedPreconditionError(text));
  }

  // `complete`: the program came to its end, though perhaps not without errors.
  absl::Status Verdict(absl::string_view program,
                       const SubprocessResult& result, bool complete) const {
    if (first_error_.has_value() && !options_.allow_errors) return FirstError();
    if (complete) return absl::OkStatus();
    // Its hints are for those who dump.
    const absl::Status status = DumpFailure(program, result);
    return PartlyDone(absl::IsUnavailable(status)
                          ? absl::UnavailableError(status.message())
                          : absl::FailedPreconditionError(status.message()));
  }

  absl::Status PartlyDone(absl::Status status) const {
    if (options_.data_only) {
      return WithHint(std::move(status),
                      "the tables may hold a part of the archive's rows: empty "
                      "them before they are restored again");
    }
    return WithHint(std::move(status),
                    "the target may hold a part of the archive: the same "
                    "command with --drop-target-first begins anew");
  }

  const ArchiveInput& input_;
  const PgTools& tools_;
  const TargetDatabase& target_;
  const LoadOptions& options_;
  const Interrupt& interrupt_;
  EventSink& events_;
  Interrupt stop_;
  RestoreErrorReader errors_;
  RestoreErrorCounts counts_;  // Of the last run.
  std::optional<RestoreError> first_error_;
  DumpConnection connection_;
  std::optional<PgConnection> progress_session_;
  bool in_english_ = false;
  int64_t warnings_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace

absl::StatusOr<std::vector<RestoreErrorKind>> LoadArchive(
    const ArchiveInput& input, const PgTools& tools,
    const TargetDatabase& target, const LoadOptions& options,
    const Interrupt& interrupt, EventSink& events) {
  return Load(input, tools, target, options, interrupt, events).Run();
}

absl::Status AnalyzeDatabase(const TargetDatabase& target, int jobs,
                             EventSink& events) {
  ASSIGN_OR_RETURN(PgConnection session, target.Open("analyze"));
  ASSIGN_OR_RETURN(const Scope everything, Scope::Create({}));
  ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(session, everything));
  const absl::Time started = absl::Now();
  ASSIGN_OR_RETURN(
      std::vector<std::string> missing,
      AnalyzeTables(target.Options("analyze"), catalog, jobs,
                    [&](const SchemaProgress& progress) {
                      events.OnEvent(Progress{.phase = Phase::kIndexes,
                                              .items_done = progress.done,
                                              .items_total = progress.total,
                                              .elapsed = absl::Now() - started,
                                              .active = progress.active});
                    }));
  for (std::string& sentence : missing) {
    events.OnEvent(
        Notice{.level = Notice::Level::kWarning, .text = std::move(sentence)});
  }
  return absl::OkStatus();
}

}  // namespace walferry

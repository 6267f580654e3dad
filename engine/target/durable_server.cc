#include "engine/target/durable_server.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kCommandPatience = absl::Minutes(10);
constexpr absl::Duration kCheckpointPatience = absl::Minutes(1);
// The postmaster signals its children one after the other; this is more than
// the last of them waits after the first.
constexpr absl::Duration kSignalled = absl::Seconds(1);
constexpr absl::Duration kPause = absl::Milliseconds(50);

absl::Status Sleep(const PgConnection& connection, absl::Duration duration) {
  if (const Interrupt* interrupt = connection.interrupt()) {
    return interrupt->Sleep(duration);
  }
  absl::SleepFor(duration);
  return absl::OkStatus();
}

std::string ShellWord(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

absl::StatusOr<std::string> Initdb(PgConnection& target) {
  ASSIGN_OR_RETURN(const std::string folder,
                   target.QueryValue("SELECT setting FROM "
                                     "pg_catalog.pg_config WHERE name = "
                                     "'BINDIR'"));
  return ShellWord(absl::StrCat(folder, "/initdb"));
}

// Fails if the program does.
absl::Status RunOnServer(PgConnection& target, const std::string& command) {
  return target
      .Exec(absl::StrCat("COPY (SELECT WHERE false) TO PROGRAM ",
                         QuoteLiteral(absl::StrCat(command, " >/dev/null"))))
      .status();
}

// Linux has a new one whenever it starts; elsewhere there is none, and "".
absl::StatusOr<std::string> BootId(PgConnection& target) {
  return target.QueryValue(
      "SELECT coalesce(pg_catalog.btrim(pg_catalog.pg_read_file("
      "'/proc/sys/kernel/random/boot_id', 0, 64, true), E'\\n '), '')");
}

// Walsenders write nothing. Idle sessions read the settings before they do.
absl::Status AwaitEarlierCommands(PgConnection& target) {
  ASSIGN_OR_RETURN(const std::string since,
                   target.QueryValue("SELECT pg_catalog.clock_timestamp()"));
  RETURN_IF_ERROR(Sleep(target, kSignalled));
  const std::string earlier = absl::StrCat(
      "SELECT pid, coalesce(usename, ''), coalesce(application_name, '') FROM "
      "pg_catalog.pg_stat_activity WHERE state <> 'idle' AND state NOT LIKE "
      "'idle in transaction%' AND backend_type <> 'walsender' AND pid <> "
      "pg_catalog.pg_backend_pid() AND coalesce(query_start, backend_start) < ",
      QuoteLiteral(since), "::timestamptz + interval '",
      absl::ToInt64Milliseconds(kSignalled), " ms' ORDER BY query_start");
  const absl::Time deadline = absl::Now() + kCommandPatience;
  while (true) {
    ASSIGN_OR_RETURN(const PgResult running, target.Exec(earlier));
    if (running.rows() == 0) return absl::OkStatus();
    if (absl::Now() >= deadline) {
      return WithHint(
          absl::FailedPreconditionError(absl::StrCat(
              "target: session ", running.Text(0, 0), " (role ",
              running.Text(0, 1), ", application ", running.Text(0, 2),
              ") still runs a command that it began while fsync was off, so "
              "the server cannot be synced")),
          "wait for its end or end it, and run the same command again");
    }
    RETURN_IF_ERROR(Sleep(target, kPause));
  }
}

absl::Status Checkpoint(PgConnection& target) {
  const absl::Time deadline = absl::Now() + kCheckpointPatience;
  while (true) {
    RETURN_IF_ERROR(target.Exec("CHECKPOINT").status());
    ASSIGN_OR_RETURN(
        const std::string taken_up,
        target.QueryValue("SELECT full_page_writes = pg_catalog."
                          "current_setting('full_page_writes')::bool FROM "
                          "pg_catalog.pg_control_checkpoint()"));
    if (taken_up == "t") return absl::OkStatus();
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError(
          "target: the checkpointer has not read the settings anew");
    }
    RETURN_IF_ERROR(Sleep(target, kPause));
  }
}

}  // namespace

absl::Status CheckCanSync(PgConnection& target) {
  ASSIGN_OR_RETURN(const std::string initdb, Initdb(target));
  const absl::Status ran =
      RunOnServer(target, absl::StrCat(initdb, " --version"));
  if (ran.ok() || target.broken()) return ran;
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "target: the server cannot run ", initdb,
          ", without which nothing would make its files durable again: ",
          ran.message())),
      "run without --fast-target, or install initdb beside the server");
}

absl::StatusOr<LedgerObject> DescribeUnsynced(PgConnection& target) {
  ASSIGN_OR_RETURN(std::string boot, BootId(target));
  return LedgerObject{.side = Side::kTarget,
                      .kind = "unsynced",
                      .identity = "server",
                      .detail = std::move(boot)};
}

absl::Status SyncServer(PgConnection& target) {
  ASSIGN_OR_RETURN(const std::string fsync, target.QueryValue("SHOW fsync"));
  if (fsync != "on") {
    return WithHint(
        absl::FailedPreconditionError(
            "target: fsync is still off, so what is written from now on would "
            "not be durable"),
        "find who turns it off (pg_settings.sourcefile), turn it on and run "
        "the same command again");
  }
  RETURN_IF_ERROR(AwaitEarlierCommands(target));
  RETURN_IF_ERROR(target.Exec("SELECT pg_catalog.pg_switch_wal()").status());
  RETURN_IF_ERROR(Checkpoint(target));
  ASSIGN_OR_RETURN(const std::string initdb, Initdb(target));
  ASSIGN_OR_RETURN(const std::string data,
                   target.QueryValue("SHOW data_directory"));
  return Annotate(RunOnServer(target, absl::StrCat(initdb, " --sync-only -D ",
                                                   ShellWord(data))),
                  "target: sync of the data directory");
}

absl::Status CheckSameBoot(PgConnection& target, const LedgerObject& note) {
  ASSIGN_OR_RETURN(const std::string boot, BootId(target));
  if (boot == note.detail) return absl::OkStatus();
  return WithHint(
      absl::DataLossError(
          "target: its machine was started anew while fsync was off: what the "
          "server had written may be lost or damaged, in all of its databases"),
      "make the target's server anew with initdb and migrate again; if the "
      "machine was shut down in order, or the server moved to another one, "
      "drop the ledger's schema by hand and migrate again");
}

}  // namespace walferry

#include "engine/target/fast_target.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "engine/target/altered_settings.h"
#include "engine/target/durable_server.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {

const char kFastTargetWarning[] =
    "--fast-target: until the run has ended the target server does not sync "
    "its files; if its machine or operating system stops meanwhile, all of its "
    "databases are lost and the server has to be made anew";

const char kUnsafeSettingsText[] =
    " on the server: if its machine or operating system stops, all of its "
    "databases may be lost";
const char kUnsafeSettingsHint[] =
    "a run with --fast-target leaves it so until it has ended or was cleaned "
    "up; if there is none: ALTER SYSTEM RESET, pg_reload_conf(), CHECKPOINT, "
    "then `sync` on the target's machine";

namespace {

constexpr absl::Duration kLockPatience = absl::Seconds(5);
// Of a look that nobody has asked for and that no interrupt ends.
constexpr absl::Duration kReachPatience = absl::Seconds(5);

struct FastSetting {
  absl::string_view name;
  std::string value;
  bool at_least = false;  // More is left as it is.
};

// The others hold even if this one is lost.
std::vector<FastSetting> FastSettings(const FastTargetOptions& options) {
  return {{.name = "fsync", .value = "off"},
          {.name = "synchronous_commit", .value = "off"},
          {.name = "full_page_writes", .value = "off"},
          {.name = "autovacuum", .value = "off"},
          {.name = "checkpoint_completion_target", .value = "0.9"},
          {.name = "maintenance_work_mem",
           .value = options.maintenance_work_mem,
           .at_least = true},
          {.name = "max_wal_size",
           .value = options.max_wal_size,
           .at_least = true}};
}

std::vector<std::string> FastSettingNames() {
  std::vector<std::string> names;
  for (const FastSetting& setting : FastSettings({})) {
    names.emplace_back(setting.name);
  }
  return names;
}

bool IsOurs(const LedgerObject& note) {
  return note.side == Side::kTarget &&
         (note.kind == "setting" || note.kind == "unsynced");
}

bool HasNote(const std::vector<LedgerObject>& notes, absl::string_view kind,
             absl::string_view identity) {
  return absl::c_any_of(notes, [&](const LedgerObject& note) {
    return note.side == Side::kTarget && note.kind == kind &&
           note.identity == identity;
  });
}

// What the setting is now if it is to be changed, "" otherwise. The session's
// own value, which it may have SET, is not the server's.
absl::StatusOr<std::string> ValueToChange(PgConnection& target,
                                          const FastSetting& setting) {
  const std::string reached =
      setting.at_least
          ? absl::Substitute(
                "pg_catalog.pg_size_bytes(reset_val || unit) >= "
                "pg_catalog.pg_size_bytes($0)",
                QuoteLiteral(setting.value))
          : absl::StrCat("reset_val = ", QuoteLiteral(setting.value));
  return target.QueryValue(absl::Substitute(
      "SELECT CASE WHEN source = 'command line' OR $0 THEN '' WHEN unit IS "
      "NULL THEN reset_val ELSE pg_catalog.current_setting(name) END FROM "
      "pg_catalog.pg_settings WHERE name = $1",
      reached, QuoteLiteral(setting.name)));
}

// Whoever turns it off, or finds it off, without knowing that it was on would
// leave it off for ever. `now`: what all settings are.
absl::Status RefuseLeftUnsafe(const std::vector<LedgerObject>& now,
                              const std::vector<LedgerObject>& notes) {
  for (const LedgerObject& setting : now) {
    if (setting.identity != "fsync" && setting.identity != "full_page_writes") {
      continue;
    }
    if (setting.detail != "=off" ||
        HasNote(notes, "setting", setting.identity)) {
      continue;
    }
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat(
            "target: ALTER SYSTEM has turned ", setting.identity,
            " off, and this migration's ledger does not know of it: another "
            "run with --fast-target is at work, or its ledger is lost")),
        absl::StrCat(
            "let that run end, or run `walferry cleanup` with its --name and "
            "--target; if there is none: ALTER SYSTEM RESET ",
            setting.identity,
            "; SELECT pg_reload_conf(); CHECKPOINT; then `sync` on the "
            "target's machine"));
  }
  return absl::OkStatus();
}

absl::Status NoteAndAlter(PgConnection& target, Ledger& ledger,
                          const std::vector<LedgerObject>& notes,
                          const LedgerObject& now, const FastSetting& setting) {
  if (setting.name == "fsync" && !HasNote(notes, "unsynced", "server")) {
    ASSIGN_OR_RETURN(const LedgerObject unsynced, DescribeUnsynced(target));
    RETURN_IF_ERROR(ledger.AddObject(unsynced));
  }
  // A note that there is says what was before the first run.
  if (!HasNote(notes, "setting", setting.name)) {
    RETURN_IF_ERROR(ledger.AddObject(now));
  }
  return AlterSetting(target, setting.name, setting.value);
}

// The newest note first, fsync's last. The notes end last: whoever is killed
// before begins anew.
absl::StatusOr<std::vector<std::string>> PutBackAll(PgConnection& target,
                                                    Ledger& ledger) {
  ASSIGN_OR_RETURN(std::vector<LedgerObject> notes, ledger.Objects());
  notes.erase(
      std::remove_if(notes.begin(), notes.end(),
                     [](const LedgerObject& note) { return !IsOurs(note); }),
      notes.end());
  std::vector<std::string> names;
  if (notes.empty()) return names;
  for (const LedgerObject& note : notes) {
    if (note.kind == "unsynced") continue;
    RETURN_IF_ERROR(PutBackSetting(target, note));
    names.push_back(note.identity);
  }
  RETURN_IF_ERROR(ReloadSettings(target));
  for (const LedgerObject& note : notes) {
    if (note.kind != "unsynced") continue;
    RETURN_IF_ERROR(CheckSameBoot(target, note));
    RETURN_IF_ERROR(SyncServer(target));
  }
  for (const LedgerObject& note : notes) {
    RETURN_IF_ERROR(ledger.RemoveObject(note));
  }
  absl::c_sort(names);
  return names;
}

}  // namespace

absl::Status CheckFastTarget(PgConnection& target, Ledger& ledger) {
  ASSIGN_OR_RETURN(
      const PgResult rights,
      target.Exec("SELECT pg_catalog.current_setting('is_superuser') = 'on', "
                  "coalesce(pg_catalog.current_setting('allow_alter_system', "
                  "true), 'on') = 'on'"));
  if (!rights.Bool(0, 0)) {
    return WithHint(
        absl::PermissionDeniedError(absl::StrCat(
            "target: role ", target.user(),
            " is not a superuser, which --fast-target needs for ALTER SYSTEM "
            "and to sync the server's files at the end")),
        "run without --fast-target, or as a superuser of the target");
  }
  if (!rights.Bool(0, 1)) {
    return WithHint(
        absl::FailedPreconditionError(
            "target: allow_alter_system is off, which --fast-target needs"),
        "run without --fast-target, or set allow_alter_system = on in "
        "postgresql.conf");
  }
  std::vector<LedgerObject> notes;
  ASSIGN_OR_RETURN(const bool begun, ledger.Exists());
  if (begun) {
    ASSIGN_OR_RETURN(notes, ledger.Objects());
  }
  ASSIGN_OR_RETURN(const std::vector<LedgerObject> now,
                   DescribeSettings(target, FastSettingNames()));
  RETURN_IF_ERROR(RefuseLeftUnsafe(now, notes));
  return CheckCanSync(target);
}

// Who may not see files sees no file here.
absl::StatusOr<std::string> UnsafeSettings(PgConnection& target) {
  return target.QueryValue(
      "SELECT coalesce(pg_catalog.string_agg(name, ' and ' ORDER BY name) || "
      "CASE WHEN pg_catalog.count(*) = 1 THEN ' is off' ELSE ' are off' END, "
      "'') FROM pg_catalog.pg_settings WHERE name IN ('fsync', "
      "'full_page_writes') AND reset_val = 'off' AND source = 'configuration "
      "file' AND (sourcefile IS NULL OR sourcefile LIKE "
      "'%/postgresql.auto.conf')");
}

absl::StatusOr<std::vector<std::string>> BeginFastTarget(
    PgConnection& target, const LedgerKey& key,
    const FastTargetOptions& options) {
  Ledger ledger(target, key);
  // A note is worth nothing if it is lost with what it speaks of.
  RETURN_IF_ERROR(target.Exec("SET synchronous_commit = on").status());
  ASSIGN_OR_RETURN(const std::vector<LedgerObject> notes, ledger.Objects());
  for (const LedgerObject& note : notes) {
    if (note.kind != "unsynced") continue;
    RETURN_IF_ERROR(CheckSameBoot(target, note));
  }
  // Two runs may begin at once. fsync is turned off before all else and put
  // back after all else: whoever finds that it is not, in one look at all
  // settings, has seen nothing of what another run does.
  ASSIGN_OR_RETURN(const std::vector<LedgerObject> now,
                   DescribeSettings(target, FastSettingNames()));
  RETURN_IF_ERROR(RefuseLeftUnsafe(now, notes));
  std::vector<std::string> changed;
  const std::vector<FastSetting> settings = FastSettings(options);
  for (size_t place = 0; place < settings.size(); ++place) {
    const FastSetting& setting = settings[place];
    ASSIGN_OR_RETURN(const std::string before, ValueToChange(target, setting));
    if (before.empty()) continue;
    RETURN_IF_ERROR(NoteAndAlter(target, ledger, notes, now[place], setting));
    changed.push_back(
        absl::StrCat(setting.name, ": ", before, " -> ", setting.value));
  }
  RETURN_IF_ERROR(ReloadSettings(target));
  return changed;
}

bool HasFastTargetNotes(const std::vector<LedgerObject>& objects) {
  return absl::c_any_of(objects, IsOurs);
}

absl::StatusOr<std::vector<std::string>> EndFastTarget(
    const Connector& connector) {
  PgConnectOptions options = connector.TargetOptions("settings");
  options.interrupt = nullptr;
  ASSIGN_OR_RETURN(PgConnection target, PgConnection::Open(options));
  Ledger ledger(target, {.schema = connector.endpoints.ledger_schema,
                         .migration = connector.endpoints.name});
  absl::StatusOr<std::vector<std::string>> put_back =
      PutBackAll(target, ledger);
  if (put_back.ok()) return put_back;
  return WithHint(
      Annotate(put_back.status(),
               "the target's settings are not all as they were before "
               "--fast-target"),
      "run the same command again, or `walferry cleanup`");
}

absl::StatusOr<std::vector<std::string>> EndLeftFastTarget(
    const Connector& connector) {
  PgConnectOptions options = connector.TargetOptions("settings");
  options.interrupt = nullptr;
  options.connect_timeout = std::min(options.connect_timeout, kReachPatience);
  absl::StatusOr<PgConnection> target = PgConnection::Open(options);
  // Nobody knows then that there is anything to put back.
  if (!target.ok()) return std::vector<std::string>();
  Ledger ledger(*target, {.schema = connector.endpoints.ledger_schema,
                          .migration = connector.endpoints.name});
  ASSIGN_OR_RETURN(const bool begun, ledger.Exists());
  if (!begun) return std::vector<std::string>();
  ASSIGN_OR_RETURN(const std::vector<LedgerObject> notes, ledger.Objects());
  if (!HasFastTargetNotes(notes)) return std::vector<std::string>();
  // The failed run's own session may end a moment later.
  const absl::Status locked = ledger.Lock(kLockPatience);
  if (absl::IsFailedPrecondition(locked)) return std::vector<std::string>();
  RETURN_IF_ERROR(locked);
  return EndFastTarget(connector);
}

}  // namespace walferry

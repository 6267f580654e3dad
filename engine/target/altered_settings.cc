#include "engine/target/altered_settings.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kReloadPatience = absl::Seconds(30);
constexpr absl::Duration kPause = absl::Milliseconds(10);

std::string Subject(absl::string_view name) {
  return absl::StrCat("target: setting ", name);
}

absl::Status Pause(const PgConnection& connection) {
  if (const Interrupt* interrupt = connection.interrupt()) {
    return interrupt->Sleep(kPause);
  }
  absl::SleepFor(kPause);
  return absl::OkStatus();
}

// What the server found wrong with its files, or "".
absl::StatusOr<std::string> FaultOfFiles(PgConnection& target) {
  return target.QueryValue(
      "SELECT coalesce((SELECT sourcefile || ', line ' || sourceline || ': ' "
      "|| error FROM pg_catalog.pg_file_settings WHERE error IS NOT NULL "
      "ORDER BY seqno LIMIT 1), '')");
}

}  // namespace

absl::StatusOr<std::vector<LedgerObject>> DescribeSettings(
    PgConnection& target, const std::vector<std::string>& names) {
  // The view reads the files once. They may say a thing twice; the last word
  // counts.
  const absl::StatusOr<PgResult> rows = target.Exec(absl::StrCat(
      "WITH said AS MATERIALIZED (SELECT pg_catalog.lower(name) AS name, "
      "setting, seqno FROM pg_catalog.pg_file_settings WHERE sourcefile LIKE "
      "'%/postgresql.auto.conf') SELECT coalesce((SELECT '=' || s.setting FROM "
      "said s WHERE s.name = w.name ORDER BY s.seqno DESC LIMIT 1), '') FROM "
      "pg_catalog.unnest(",
      QuoteTextArray(names),
      ") WITH ORDINALITY w (name, place) ORDER BY place"));
  if (!rows.ok()) return Annotate(rows.status(), "target: settings");
  std::vector<LedgerObject> notes;
  for (int row = 0; row < rows->rows(); ++row) {
    notes.push_back({.side = Side::kTarget,
                     .kind = "setting",
                     .identity = names[static_cast<size_t>(row)],
                     .detail = std::string(rows->Text(row, 0))});
  }
  return notes;
}

absl::Status AlterSetting(PgConnection& target, absl::string_view name,
                          absl::string_view value) {
  return Annotate(
      target
          .Exec(absl::StrCat("ALTER SYSTEM SET ", QuoteIdentifier(name), " TO ",
                             QuoteLiteral(value)))
          .status(),
      Subject(name));
}

absl::Status PutBackSetting(PgConnection& target, const LedgerObject& note) {
  const absl::string_view before = note.detail;
  if (absl::StartsWith(before, "=")) {
    return AlterSetting(target, note.identity, before.substr(1));
  }
  return Annotate(target
                      .Exec(absl::StrCat("ALTER SYSTEM RESET ",
                                         QuoteIdentifier(note.identity)))
                      .status(),
                  Subject(note.identity));
}

absl::Status ReloadSettings(PgConnection& target) {
  ASSIGN_OR_RETURN(const std::string asked_at,
                   target.QueryValue("SELECT pg_catalog.clock_timestamp()"));
  ASSIGN_OR_RETURN(const std::string told,
                   target.QueryValue("SELECT pg_catalog.pg_reload_conf()"));
  if (told != "t") {
    return absl::UnavailableError(
        "target: the server could not be told to "
        "read its settings anew");
  }
  // Not moved by a load that failed.
  const std::string loaded = absl::StrCat(
      "SELECT pg_catalog.pg_conf_load_time() >= ", QuoteLiteral(asked_at));
  const absl::Time deadline = absl::Now() + kReloadPatience;
  while (true) {
    ASSIGN_OR_RETURN(const std::string done, target.QueryValue(loaded));
    if (done == "t") return absl::OkStatus();
    if (absl::Now() >= deadline) break;
    RETURN_IF_ERROR(Pause(target));
  }
  ASSIGN_OR_RETURN(const std::string fault, FaultOfFiles(target));
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "target: the server has not taken its changed settings after ",
          absl::FormatDuration(kReloadPatience),
          fault.empty() ? "" : absl::StrCat(": ", fault))),
      "mend what the server's log complains of, and run the same command "
      "again");
}

}  // namespace walferry

#include "tools/event_json.h"

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "engine/report_json.h"
#include "protocol/status.h"
#include "tools/exit_code.h"
#include "tools/json_text.h"

namespace walferry {
namespace {

// null where the engine says 0 for "unknown".
Json KnownOrNull(int64_t number) {
  return number > 0 ? Json(number) : Json(nullptr);
}

// Adds an event's own fields to the common ones.
class FieldWriter {
 public:
  explicit FieldWriter(Json& json) : json_(json) {}

  void operator()(const PhaseStarted& event) {
    json_["event"] = "phase_started";
    json_["resumed"] = event.resumed;
  }

  void operator()(const PhaseFinished& event) {
    json_["event"] = "phase_finished";
    json_["duration_seconds"] = JsonSeconds(event.duration);
  }

  void operator()(const Progress& event) {
    json_["event"] = "progress";
    json_["items_done"] = event.items_done;
    json_["items_total"] = event.items_total;
    json_["bytes"] = event.bytes;
    json_["bytes_total"] = KnownOrNull(event.bytes_total);
    json_["rows"] = event.rows;
    json_["elapsed_seconds"] = JsonSeconds(event.elapsed);
    json_["active"] = Json::array();
    for (const ActiveItem& item : event.active) {
      json_["active"].push_back(
          {{"name", item.name},
           {"bytes", item.bytes},
           {"bytes_total", KnownOrNull(item.bytes_total)},
           {"rows", item.rows},
           {"elapsed_seconds", JsonSeconds(item.elapsed)}});
    }
  }

  void operator()(const Lag& event) {
    json_["event"] = "lag";
    json_["lag_bytes"] = event.lag_bytes;
    json_["lag_seconds"] = JsonSeconds(absl::Seconds(event.lag_seconds));
    json_["source_lsn"] = event.source_lsn.ToString();
    json_["received_lsn"] = event.received_lsn.ToString();
    json_["applied_lsn"] = event.applied_lsn.ToString();
    json_["transactions"] = event.transactions;
    json_["changes"] = event.changes;
    json_["waiting_for"] = event.waiting_for;
  }

  void operator()(const CaughtUp& event) {
    json_["event"] = "caught_up";
    json_["applied_lsn"] = event.applied_lsn.ToString();
    json_["lag_bytes"] = event.lag_bytes;
  }

  void operator()(const Usable& event) {
    json_["event"] = "usable";
    json_["delayed_tables"] = event.delayed_tables;
  }

  void operator()(const ConflictFound& event) {
    const Conflict& conflict = event.conflict;
    json_["event"] = "conflict";
    json_["slot"] = event.slot;
    json_["schema"] = conflict.relation.schema;
    json_["table"] = conflict.relation.name;
    json_["kind"] = std::string(ChangeKindName(conflict.kind));
    json_["type"] = conflict.type;
    json_["key"] = conflict.key;
    json_["xid"] = conflict.xid;
    json_["commit_lsn"] = conflict.commit_lsn.ToString();
    json_["end_lsn"] = conflict.end_lsn.ToString();
    json_["commit_time"] = JsonTime(conflict.commit_time);
    json_["sqlstate"] = conflict.sqlstate;
    json_["message"] = conflict.message;
  }

  void operator()(const Notice& event) {
    json_["event"] = "notice";
    json_["level"] = event.level == Notice::Level::kInfo ? "info" : "warning";
    json_["text"] = event.text;
  }

  void operator()(const Failed& event) {
    json_["event"] = "error";
    json_["code"] = absl::StatusCodeToString(event.status.code());
    json_["message"] = std::string(event.status.message());
    json_["hint"] = HintOf(event.status);
    json_["sqlstate"] = SqlStateOf(event.status);
    json_["resumable"] = ExitCodeOf(event.status) == ExitCode::kResumable;
  }

  void operator()(const Done& event) {
    json_["event"] = "done";
    json_.update(Json::parse(ReportToJson(event.report)));
  }

 private:
  Json& json_;
};

struct PhaseReader {
  Phase before;

  Phase operator()(const PhaseStarted& event) const { return event.phase; }
  Phase operator()(const PhaseFinished& event) const { return event.phase; }
  Phase operator()(const Progress& event) const { return event.phase; }
  Phase operator()(const Lag& event) const { return event.phase; }
  Phase operator()(const CaughtUp&) const { return before; }
  Phase operator()(const Usable&) const { return before; }
  Phase operator()(const ConflictFound&) const { return before; }
  Phase operator()(const Notice&) const { return before; }
  Phase operator()(const Failed& event) const { return event.phase; }
  Phase operator()(const Done&) const { return Phase::kDone; }
};

}  // namespace

Phase PhaseAfter(const Event& event, Phase phase) {
  return std::visit(PhaseReader{phase}, event);
}

std::string EventToJson(const Event& event, Phase phase, absl::Time time,
                        const Redactor& redactor,
                        std::optional<absl::string_view> database) {
  Json json;
  json["time"] = JsonTime(time);
  json["phase"] = std::string(PhaseName(PhaseAfter(event, phase)));
  if (database) json["database"] = std::string(*database);
  std::visit(FieldWriter(json), event);
  return JsonText(std::move(json), redactor);
}

std::string ComparisonToJson(const VerifyAccount& account, absl::Time time,
                             const Redactor& redactor) {
  const VerifyReport& report = account.report;
  const VerifyTally tally = TallyOf(report);
  Json json;
  json["time"] = JsonTime(time);
  json["phase"] = std::string(PhaseName(Phase::kDone));
  json["event"] = "compared";
  json["verdict"] = std::string(VerdictName(VerdictOf(account)));
  json["method"] = std::string(VerifyMethodName(report.method));
  json["tables"] = report.tables.size();
  json["tables_different"] = tally.tables_different;
  json["tables_unknown"] = tally.tables_unknown;
  json["rows_different"] = tally.rows_different;
  json["objects_different"] = tally.objects_different;
  json["checks_different"] = tally.checks_different;
  json["warnings"] = tally.warnings;
  json["rows_compared"] = report.rows_compared;
  json["bytes_compared"] = report.bytes_compared;
  json["elapsed_seconds"] = JsonSeconds(report.elapsed);
  json["remarks"] = report.remarks;
  return JsonText(std::move(json), redactor);
}

EventWriter::EventWriter(std::ostream& out, const Redactor& redactor,
                         std::function<absl::Time()> now, Phase first_phase)
    : out_(out),
      redactor_(redactor),
      now_(std::move(now)),
      first_phase_(first_phase) {}

void EventWriter::Write(std::optional<absl::string_view> database,
                        const Event& event) {
  Phase& phase =
      phases_.try_emplace(std::string(database.value_or("")), first_phase_)
          .first->second;
  phase = PhaseAfter(event, phase);
  WriteLine(EventToJson(event, phase, now_(), redactor_, database));
}

void EventWriter::WriteComparison(const VerifyAccount& account) {
  WriteLine(ComparisonToJson(account, now_(), redactor_));
}

void EventWriter::WriteLine(absl::string_view line) {
  if (!status_.ok()) return;
  errno = 0;
  out_ << line << std::endl;
  if (out_) return;
  status_ = absl::UnknownError(
      absl::StrCat("cannot write events", errno == 0 ? "" : ": ",
                   errno == 0 ? "" : std::strerror(errno)));
}

}  // namespace walferry

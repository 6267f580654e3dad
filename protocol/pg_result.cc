#include "protocol/pg_result.h"

#include <libpq-fe.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "protocol/pg_failure.h"
#include "protocol/status.h"

namespace walferry {
namespace {

struct CodeOfPrefix {
  absl::string_view prefix;
  absl::StatusCode code;
};

// The first entry that fits decides, so single states stand before classes.
constexpr CodeOfPrefix kCodes[] = {
    // A pooler's word for everything it does not support.
    {"08P01", absl::StatusCode::kFailedPrecondition},
    {"08", absl::StatusCode::kUnavailable},
    {"22", absl::StatusCode::kInvalidArgument},  // The value does not fit.
    {"25P02", absl::StatusCode::kAborted},       // In a failed transaction.
    {"25P03", absl::StatusCode::kUnavailable},   // Idle in transaction: ended.
    {"25P04", absl::StatusCode::kUnavailable},   // transaction_timeout: ended.
    {"28", absl::StatusCode::kPermissionDenied},
    {"3D000", absl::StatusCode::kNotFound},  // Database.
    {"3F000", absl::StatusCode::kNotFound},  // Schema.
    {"40", absl::StatusCode::kAborted},      // Deadlock, serialization.
    {"42501", absl::StatusCode::kPermissionDenied},
    {"42703", absl::StatusCode::kNotFound},       // Column.
    {"42704", absl::StatusCode::kNotFound},       // Slot, publication, type ...
    {"42883", absl::StatusCode::kNotFound},       // Function.
    {"42P01", absl::StatusCode::kNotFound},       // Table.
    {"42701", absl::StatusCode::kAlreadyExists},  // Column.
    {"42710", absl::StatusCode::kAlreadyExists},  // Slot, publication ...
    {"42723", absl::StatusCode::kAlreadyExists},  // Function.
    {"42P04", absl::StatusCode::kAlreadyExists},  // Database.
    {"42P06", absl::StatusCode::kAlreadyExists},  // Schema.
    {"42P07", absl::StatusCode::kAlreadyExists},  // Table.
    {"42", absl::StatusCode::kInvalidArgument},   // Syntax.
    {"53300", absl::StatusCode::kUnavailable},    // Too many connections.
    {"53", absl::StatusCode::kResourceExhausted},
    {"55006", absl::StatusCode::kUnavailable},  // In use, as an active slot.
    {"55P03", absl::StatusCode::kAborted},      // lock_timeout.
    {"57014", absl::StatusCode::kAborted},      // Cancelled, statement_timeout.
    {"57P04", absl::StatusCode::kNotFound},     // The database was dropped.
    {"57", absl::StatusCode::kUnavailable},     // Shutdown, starting up ...
    {"58P01", absl::StatusCode::kFailedPrecondition},  // Removed WAL.
    {"58", absl::StatusCode::kUnavailable},
    {"72", absl::StatusCode::kAborted},
    {"XX001", absl::StatusCode::kDataLoss},  // Corrupted data or index.
    {"XX002", absl::StatusCode::kDataLoss},
};

absl::string_view Field(const PGresult* result, int field) {
  const char* text = PQresultErrorField(result, field);
  return text == nullptr ? absl::string_view() : absl::string_view(text);
}

// "COPY t, line 3, column a" of the context; the value behind it stays out.
absl::string_view CopyPlace(absl::string_view context) {
  for (absl::string_view line : absl::StrSplit(context, '\n')) {
    if (!absl::StartsWith(line, "COPY ")) continue;
    return absl::StripTrailingAsciiWhitespace(line.substr(0, line.find(": ")));
  }
  return {};
}

}  // namespace

void PgResult::Clear::operator()(pg_result* result) const { PQclear(result); }

int PgResult::rows() const { return PQntuples(get()); }
int PgResult::columns() const { return PQnfields(get()); }

bool PgResult::IsNull(int row, int column) const {
  return PQgetisnull(get(), row, column) != 0;
}

absl::string_view PgResult::Text(int row, int column) const {
  const char* value = PQgetvalue(get(), row, column);
  if (value == nullptr) return {};
  return {value, static_cast<size_t>(PQgetlength(get(), row, column))};
}

absl::StatusOr<int64_t> PgResult::Int64(int row, int column) const {
  int64_t value = 0;
  if (absl::SimpleAtoi(Text(row, column), &value)) return value;
  return absl::InternalError(absl::StrCat("row ", row, ", column ", column,
                                          ": not an integer: \"",
                                          Text(row, column), "\""));
}

absl::StatusOr<Lsn> PgResult::LsnAt(int row, int column) const {
  absl::StatusOr<Lsn> lsn = Lsn::Parse(Text(row, column));
  if (lsn.ok()) return lsn;
  return absl::InternalError(absl::StrCat("row ", row, ", column ", column,
                                          ": not an LSN: \"", Text(row, column),
                                          "\""));
}

bool PgResult::Bool(int row, int column) const {
  return Text(row, column) == "t";
}

int64_t PgResult::affected_rows() const {
  int64_t rows = 0;
  // libpq only reads the result; its signature is older than const.
  const char* text = PQcmdTuples(get());
  return absl::SimpleAtoi(text, &rows) ? rows : 0;
}

absl::string_view PgResult::command_tag() const {
  if (get() == nullptr) return {};
  return PQcmdStatus(get());
}

absl::StatusCode StatusCodeForSqlState(absl::string_view sqlstate) {
  if (sqlstate.empty()) return absl::StatusCode::kUnavailable;
  for (const CodeOfPrefix& entry : kCodes) {
    if (absl::StartsWith(sqlstate, entry.prefix)) return entry.code;
  }
  return absl::StatusCode::kFailedPrecondition;
}

absl::Status StatusOfServerError(const ServerNotice& error) {
  std::string text =
      absl::StrCat(error.primary, " (SQLSTATE ", error.sqlstate, ")");
  absl::string_view divider = ": ";
  for (absl::string_view more : {error.detail, CopyPlace(error.context)}) {
    if (more.empty()) continue;
    absl::StrAppend(&text, divider, more);
    divider = "; ";
  }
  absl::Status status =
      WithSqlState(absl::Status(StatusCodeForSqlState(error.sqlstate), text),
                   error.sqlstate);
  return error.hint.empty() ? status : WithHint(std::move(status), error.hint);
}

absl::Status StatusOfResult(const pg_result* result) {
  const absl::string_view sqlstate = Field(result, PG_DIAG_SQLSTATE);
  if (sqlstate.empty()) return LinkFailure(PQresultErrorMessage(result));
  return StatusOfServerError(
      {.severity = Field(result, PG_DIAG_SEVERITY),
       .sqlstate = sqlstate,
       .primary = Field(result, PG_DIAG_MESSAGE_PRIMARY),
       .detail = Field(result, PG_DIAG_MESSAGE_DETAIL),
       .hint = Field(result, PG_DIAG_MESSAGE_HINT),
       .context = Field(result, PG_DIAG_CONTEXT)});
}

}  // namespace walferry

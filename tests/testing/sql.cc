#include "tests/testing/sql.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "protocol/status.h"

namespace walferry {
namespace {

using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

absl::Status Failure(const PGresult* result, PGconn* connection,
                     const std::string& sql) {
  const char* sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return absl::UnknownError(absl::StrCat(
      sqlstate == nullptr ? "" : sqlstate, ": ",
      message != nullptr
          ? std::string(message)
          : std::string(absl::StripAsciiWhitespace(PQerrorMessage(connection))),
      ": ", sql));
}

}  // namespace

absl::StatusOr<SqlConnection> SqlConnection::Open(const std::string& conninfo) {
  SqlConnection connection(PQconnectdb(conninfo.c_str()));
  PGconn* raw = connection.raw();
  if (PQstatus(raw) != CONNECTION_OK) {
    return absl::UnavailableError(
        absl::StripAsciiWhitespace(PQerrorMessage(raw)));
  }
  PQsetNoticeProcessor(
      raw, [](void*, const char*) {}, nullptr);
  return connection;
}

absl::Status SqlConnection::Exec(const std::string& sql) {
  return Query(sql).status();
}

absl::StatusOr<SqlRows> SqlConnection::Query(const std::string& sql,
                                             const SqlRow& parameters) {
  std::vector<const char*> values;
  for (const std::optional<std::string>& parameter : parameters) {
    values.push_back(parameter.has_value() ? parameter->c_str() : nullptr);
  }
  const Result result(
      values.empty()
          ? PQexec(raw(), sql.c_str())
          : PQexecParams(raw(), sql.c_str(), static_cast<int>(values.size()),
                         nullptr, values.data(), nullptr, nullptr, 0),
      &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    return Failure(result.get(), raw(), sql);
  }
  SqlRows rows(static_cast<size_t>(PQntuples(result.get())));
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      std::optional<std::string>& value =
          rows[static_cast<size_t>(row)].emplace_back();
      if (PQgetisnull(result.get(), row, column) != 0) continue;
      value.emplace(
          PQgetvalue(result.get(), row, column),
          static_cast<size_t>(PQgetlength(result.get(), row, column)));
    }
  }
  return rows;
}

absl::StatusOr<std::string> SqlConnection::QueryValue(const std::string& sql) {
  ASSIGN_OR_RETURN(const SqlRows rows, Query(sql));
  if (rows.size() != 1 || rows[0].size() != 1 || !rows[0][0].has_value()) {
    return absl::FailedPreconditionError(
        absl::StrCat("not exactly one value: ", sql));
  }
  return *rows[0][0];
}

}  // namespace walferry

#include "engine/archive/scratch_database.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr char kTemplateEncoding[] =
    "SELECT pg_catalog.pg_encoding_to_char(encoding)"
    " FROM pg_catalog.pg_database WHERE datname = 'template0'";

}  // namespace

std::string ScratchName(absl::Time time) {
  return absl::StrCat("walferry_drill_", absl::FormatTime("%Y%m%d_%H%M%S", time,
                                                          absl::UTCTimeZone()));
}

absl::StatusOr<ScratchDatabase> ScratchDatabase::Create(
    const TargetDatabase& server, const std::string& name,
    const std::string& encoding) {
  ASSIGN_OR_RETURN(PgConnection session, server.Open("scratch"));
  ASSIGN_OR_RETURN(const std::string own,
                   session.QueryValue(kTemplateEncoding));
  std::string sql = absl::StrCat("CREATE DATABASE ", QuoteIdentifier(name),
                                 " TEMPLATE template0");
  if (!encoding.empty() && encoding != own) {
    absl::StrAppend(&sql, " ENCODING ", QuoteLiteral(encoding),
                    " LC_COLLATE 'C' LC_CTYPE 'C'");
  }
  const absl::Status created =
      Annotate(session.Exec(sql).status(), "target: scratch database");
  if (created.ok()) return ScratchDatabase(server, server.Named(name));
  if (!absl::IsCancelled(created) && !session.broken()) return created;
  // That may have come when it was made already.
  ScratchDatabase perhaps(server, server.Named(name));
  const absl::Status dropped = perhaps.Drop();
  perhaps.Keep();
  return WithLeftOver(created, dropped);
}

ScratchDatabase::ScratchDatabase(ScratchDatabase&& other) noexcept
    : server_(std::move(other.server_)),
      database_(std::move(other.database_)),
      exists_(std::exchange(other.exists_, false)) {}

ScratchDatabase::~ScratchDatabase() { Drop().IgnoreError(); }

absl::Status ScratchDatabase::Drop() {
  if (!exists_) return absl::OkStatus();
  TargetDatabase unhurried = server_;
  unhurried.connector.interrupt = nullptr;
  const std::string sql =
      absl::StrCat("DROP DATABASE IF EXISTS ",
                   QuoteIdentifier(database_.dbname), " WITH (FORCE)");
  absl::StatusOr<PgConnection> session = unhurried.Open("scratch");
  const absl::Status dropped =
      session.ok() ? session->Exec(sql).status() : session.status();
  exists_ = !dropped.ok();
  if (dropped.ok()) return dropped;
  // A hint of the connection's would stand in the way of the statement.
  return WithHint(
      absl::Status(dropped.code(),
                   absl::StrCat("scratch database ", database_.dbname,
                                " could not be dropped: ", dropped.message())),
      sql);
}

absl::Status WithLeftOver(const absl::Status& error, const absl::Status& left) {
  if (left.ok()) return error;
  if (error.ok()) return left;
  return WithHint(absl::Status(error.code(), absl::StrCat(error.message(), "; ",
                                                          left.message())),
                  HintOf(left));
}

}  // namespace walferry

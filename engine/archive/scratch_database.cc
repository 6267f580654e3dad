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
  const absl::Status created = session.Exec(sql).status();
  if (absl::IsCancelled(created)) {
    // The request may have come when it was made already.
    ScratchDatabase(server, server.Named(name)).Drop().IgnoreError();
  }
  if (!created.ok()) return Annotate(created, "target: scratch database");
  return ScratchDatabase(server, server.Named(name));
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
  ASSIGN_OR_RETURN(PgConnection session, unhurried.Open("scratch"));
  RETURN_IF_ERROR(session
                      .Exec(absl::StrCat("DROP DATABASE IF EXISTS ",
                                         QuoteIdentifier(database_.dbname),
                                         " WITH (FORCE)"))
                      .status());
  exists_ = false;
  return absl::OkStatus();
}

}  // namespace walferry

#include "tests/differential/native_replica.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "protocol/quoting.h"
#include "protocol/status.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

// A worker does not say that it is slow, and a report costs a seed.
constexpr absl::Duration kPatience = absl::Minutes(4);

// The server's log says why a worker has ended: the error, and what it was
// about.
std::string LastFailure(const PgServer& server) {
  constexpr size_t kBytesBefore = 1000;
  constexpr size_t kBytesShown = 1500;
  const std::string log = server.Log();
  const size_t at = log.rfind("processing remote data for");
  if (at == std::string::npos) return "the server's log does not say why";
  return log.substr(at - std::min(at, kBytesBefore), kBytesShown);
}

}  // namespace

absl::StatusOr<std::unique_ptr<NativeReplica>> NativeReplica::Create(
    const PgServer& server, const std::string& source_database,
    const std::string& database, const std::string& publication) {
  // CREATE SUBSCRIPTION would wait for itself where both are on one server.
  RETURN_IF_ERROR(
      server.Exec(absl::StrCat("SELECT pg_create_logical_replication_slot(",
                               QuoteLiteral(database), ", 'pgoutput')"),
                  source_database));
  ASSIGN_OR_RETURN(SqlConnection connection,
                   SqlConnection::Open(server.ConnInfo(database)));
  // Where it stops it is disabled, so that we need not wait for long.
  RETURN_IF_ERROR(connection.Exec(absl::StrCat(
      "CREATE SUBSCRIPTION ", database, " CONNECTION ",
      QuoteLiteral(server.ConnInfo(source_database)), " PUBLICATION ",
      publication, " WITH (create_slot = false, copy_data = false",
      server.major_version() >= 15 ? ", disable_on_error = true)" : ")")));
  return std::unique_ptr<NativeReplica>(
      new NativeReplica(server, std::move(connection)));
}

absl::Status NativeReplica::WaitForMark(int mark) {
  const std::string reached = absl::StrCat(
      "SELECT EXISTS (SELECT FROM public.marks WHERE mark = ", mark, ")");
  const std::string stopped =
      "SELECT NOT subenabled FROM pg_subscription WHERE subdbid = "
      "(SELECT oid FROM pg_database WHERE datname = current_database())";
  bool arrived = false;
  WaitUntil(
      [&] {
        arrived = connection_.QueryValue(reached).value_or("") == "t";
        return arrived || connection_.QueryValue(stopped).value_or("") == "t";
      },
      kPatience);
  if (arrived) return absl::OkStatus();
  return absl::UnknownError(
      absl::StrCat("the subscription has stopped: ", LastFailure(server_)));
}

absl::Status NativeReplica::Drop() {
  ASSIGN_OR_RETURN(const std::string name,
                   connection_.QueryValue("SELECT current_database()"));
  return connection_.Exec(absl::StrCat("DROP SUBSCRIPTION ", name));
}

}  // namespace walferry

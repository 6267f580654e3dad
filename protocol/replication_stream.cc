#include "protocol/replication_stream.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "protocol/pg_wait.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr int kVersion14 = 140000;
constexpr int kVersion15 = 150000;
constexpr int kVersion16 = 160000;
constexpr int kVersion17 = 170000;

absl::Status NeedsVersion(absl::string_view what, int version,
                          int server_version) {
  if (server_version >= version) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      what, " needs PostgreSQL ", version / 10000, ", the server has ",
      server_version / 10000, ".", server_version % 10000));
}

absl::Status NeedsProtocol(absl::string_view what, int needed, int protocol) {
  if (protocol >= needed) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      what, " needs pgoutput protocol version ", needed, ", not ", protocol));
}

absl::Status CheckProtocolVersion(int protocol, int server_version) {
  const std::string what = absl::StrCat("pgoutput protocol version ", protocol);
  switch (protocol) {
    case 1:
      return absl::OkStatus();
    case 2:
      return NeedsVersion(what, kVersion14, server_version);
    case 3:
      return NeedsVersion(what, kVersion15, server_version);
    case 4:
      return NeedsVersion(what, kVersion16, server_version);
    default:
      return absl::InvalidArgumentError(absl::StrCat("unknown ", what));
  }
}

absl::Status CheckOptions(const ReplicationOptions& options,
                          int server_version) {
  const int protocol = options.protocol_version;
  if (options.slot.empty()) {
    return absl::InvalidArgumentError("no replication slot given");
  }
  if (options.publications.empty()) {
    return absl::InvalidArgumentError("no publication given");
  }
  RETURN_IF_ERROR(CheckProtocolVersion(protocol, server_version));
  if (options.binary) {
    RETURN_IF_ERROR(NeedsVersion("option binary", kVersion14, server_version));
  }
  if (options.messages) {
    RETURN_IF_ERROR(
        NeedsVersion("option messages", kVersion14, server_version));
  }
  switch (options.streaming) {
    case Streaming::kOff:
      break;
    case Streaming::kOn:
      RETURN_IF_ERROR(NeedsProtocol("streaming 'on'", 2, protocol));
      break;
    case Streaming::kParallel:
      RETURN_IF_ERROR(NeedsProtocol("streaming 'parallel'", 4, protocol));
      break;
  }
  if (options.two_phase) {
    RETURN_IF_ERROR(NeedsProtocol("option two_phase", 3, protocol));
  }
  if (options.origin.empty()) return absl::OkStatus();
  if (options.origin != "none" && options.origin != "any") {
    return absl::InvalidArgumentError(
        absl::StrCat("origin must be none or any, not ", options.origin));
  }
  return NeedsVersion("option origin", kVersion16, server_version);
}

// Faults of a stream that a person can mend, said in the stream's own terms.
absl::Status StreamFailure(absl::Status failure) {
  const std::string sqlstate = SqlStateOf(failure);
  const absl::string_view text = failure.message();
  if (sqlstate == "42704" && absl::StartsWith(text, "replication slot")) {
    return WithHint(std::move(failure),
                    "the slot was dropped, or this is another server; without "
                    "it the stream cannot go on where it stood");
  }
  if (sqlstate == "42704" && absl::StartsWith(text, "publication")) {
    return WithHint(std::move(failure),
                    "the publication must have existed before the slot's "
                    "first change: create it, then a new slot");
  }
  if (sqlstate == "55006") {
    return WithHint(std::move(failure),
                    "another process streams from the slot: stop it, or end "
                    "it with pg_terminate_backend");
  }
  if (sqlstate == "55000" && absl::StrContains(text, "slot")) {
    return WithHint(std::move(failure),
                    "the server has given the slot up, and with it the "
                    "changes since: start anew with a new slot");
  }
  return failure;
}

absl::StatusOr<PgResult> ExecForOneRow(PgConnection& connection,
                                       const std::string& command,
                                       int columns) {
  absl::StatusOr<PgResult> result = connection.Exec(command);
  if (!result.ok()) return StreamFailure(result.status());
  if (result->rows() != 1 || result->columns() < columns) {
    return absl::DataLossError(
        absl::StrCat(command, ": answered by ", result->rows(), " rows of ",
                     result->columns(), " columns, not by one of ", columns));
  }
  return result;
}

}  // namespace

absl::StatusOr<std::string> BuildStartReplication(
    const ReplicationOptions& options, int server_version) {
  RETURN_IF_ERROR(CheckOptions(options, server_version));
  std::string command = absl::StrCat(
      "START_REPLICATION SLOT ", QuoteIdentifier(options.slot), " LOGICAL ",
      options.start.ToString(), " (proto_version '", options.protocol_version,
      "', publication_names ", QuotePublicationNames(options.publications));
  switch (options.streaming) {
    case Streaming::kOff:
      break;
    case Streaming::kOn:
      absl::StrAppend(&command, ", streaming 'on'");
      break;
    case Streaming::kParallel:
      absl::StrAppend(&command, ", streaming 'parallel'");
      break;
  }
  if (options.binary) absl::StrAppend(&command, ", binary 'true'");
  if (options.messages) absl::StrAppend(&command, ", messages 'true'");
  if (options.two_phase) absl::StrAppend(&command, ", two_phase 'on'");
  if (!options.origin.empty()) {
    absl::StrAppend(&command, ", origin ",
                    QuoteReplicationLiteral(options.origin));
  }
  return command + ")";
}

ReplicationStream::ReplicationStream(PgConnection connection)
    : connection_(std::move(connection)) {}

ReplicationStream::~ReplicationStream() = default;

absl::StatusOr<std::unique_ptr<ReplicationStream>> ReplicationStream::Start(
    PgConnection connection, const ReplicationOptions& options) {
  ASSIGN_OR_RETURN(const std::string command,
                   BuildStartReplication(options, connection.server_version()));
  // Makes regclass and its like come out with their schemas.
  RETURN_IF_ERROR(
      connection.Exec("SELECT pg_catalog.set_config('search_path', '', false)")
          .status());
  std::unique_ptr<ReplicationStream> stream(
      new ReplicationStream(std::move(connection)));
  absl::StatusOr<std::unique_ptr<CopyBoth>> exchange =
      StartCopyBoth(stream->connection_, command);
  if (!exchange.ok()) return StreamFailure(exchange.status());
  stream->exchange_ = *std::move(exchange);
  return stream;
}

absl::StatusOr<std::optional<absl::string_view>> ReplicationStream::Next(
    absl::Time deadline) {
  auto frame = exchange_->Next(deadline);
  if (ABSL_PREDICT_TRUE(frame.ok())) return frame;
  return StreamFailure(frame.status());
}

absl::Status ReplicationStream::Send(const StandbyStatus& status) {
  return StreamFailure(exchange_->Send(BuildStandbyStatus(status)));
}

absl::Status ReplicationStream::Finish(absl::Duration timeout) {
  return StreamFailure(exchange_->Finish(DeadlineAfter(timeout)));
}

absl::StatusOr<SystemIdentity> IdentifySystem(PgConnection& connection) {
  ASSIGN_OR_RETURN(const PgResult result,
                   ExecForOneRow(connection, "IDENTIFY_SYSTEM", 4));
  SystemIdentity identity;
  identity.system_identifier = std::string(result.Text(0, 0));
  ASSIGN_OR_RETURN(identity.timeline, result.Int64(0, 1));
  ASSIGN_OR_RETURN(identity.flushed, result.LsnAt(0, 2));
  identity.dbname = std::string(result.Text(0, 3));
  return identity;
}

absl::StatusOr<CreatedSlot> CreateSlot(PgConnection& connection,
                                       const CreateSlotOptions& options) {
  const int version = connection.server_version();
  std::string command = absl::StrCat(
      "CREATE_REPLICATION_SLOT ", QuoteIdentifier(options.slot),
      options.temporary ? " TEMPORARY" : "", " LOGICAL \"pgoutput\"");
  if (options.failover) {
    RETURN_IF_ERROR(NeedsVersion("a failover slot", kVersion17, version));
  }
  if (version >= kVersion15) {
    absl::StrAppend(&command, " (SNAPSHOT '",
                    options.export_snapshot ? "export" : "nothing", "'",
                    options.failover ? ", FAILOVER" : "", ")");
  } else {
    absl::StrAppend(&command, options.export_snapshot ? " EXPORT_SNAPSHOT"
                                                      : " NOEXPORT_SNAPSHOT");
  }
  ASSIGN_OR_RETURN(const PgResult result,
                   ExecForOneRow(connection, command, 3));
  CreatedSlot created;
  ASSIGN_OR_RETURN(created.consistent_point, result.LsnAt(0, 1));
  created.snapshot_name = std::string(result.Text(0, 2));
  return created;
}

absl::Status DropSlot(PgConnection& connection, const std::string& slot) {
  const std::string command =
      absl::StrCat("DROP_REPLICATION_SLOT ", QuoteIdentifier(slot));
  return StreamFailure(connection.Exec(command).status());
}

}  // namespace walferry

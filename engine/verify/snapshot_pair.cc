#include "engine/verify/snapshot_pair.h"

#include <limits>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "engine/connect.h"
#include "engine/copy_session.h"
#include "engine/shared_session.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kLockWait = absl::Seconds(30);

constexpr char kBegin[] =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY NOT DEFERRABLE;";

absl::StatusOr<SessionPair> Connect(const Endpoints& endpoints,
                                    const Interrupt* interrupt,
                                    Contact contact) {
  const Connector connector{.endpoints = endpoints, .interrupt = interrupt};
  ASSIGN_OR_RETURN(PgConnection source,
                   connector.OpenSource("verify", contact));
  ASSIGN_OR_RETURN(PgConnection target,
                   connector.OpenTarget("verify", contact));
  SessionPair sessions{.source = std::move(source),
                       .target = std::move(target)};
  RETURN_IF_ERROR(PrepareToCompare(sessions));
  return sessions;
}

absl::Status Configure(PgConnection& session, absl::string_view encoding) {
  return session
      .Exec(absl::StrCat(
          ValueSettingsSql(session.server_version(), kLockWait),
          // A part of a table is read by one process: others read other parts.
          "SET max_parallel_workers_per_gather = 0;"
          "SET synchronize_seqscans = off;"
          "SET client_encoding = ",
          QuoteLiteral(encoding)))
      .status();
}

// The name of the snapshot that the session holds from now on; nullopt: the
// server can export none.
absl::StatusOr<std::optional<std::string>> Export(PgConnection& session) {
  ASSIGN_OR_RETURN(const bool alone, ServesOneSession(session));
  if (alone) {
    RETURN_IF_ERROR(CleanSharedSession(session));
    return std::nullopt;
  }
  RETURN_IF_ERROR(session.Exec(kBegin).status());
  ASSIGN_OR_RETURN(std::string name,
                   session.QueryValue("SELECT pg_export_snapshot()"));
  return name;
}

// What there is to do for a session that others will share.
void Clean(PgConnection& session) {
  if (session.broken()) return;
  if (!session.Exec("ROLLBACK").ok()) return;
  CleanSharedSession(session).IgnoreError();
}

absl::Status Import(PgConnection& session,
                    const std::optional<std::string>& snapshot) {
  return session
      .Exec(snapshot.has_value()
                ? absl::StrCat(kBegin, "SET TRANSACTION SNAPSHOT ",
                               QuoteLiteral(*snapshot))
                : kBegin)
      .status();
}

class PresentPair : public SnapshotPair {
 public:
  PresentPair(Endpoints endpoints, std::optional<std::string> source_name,
              std::optional<std::string> target_name)
      : endpoints_(std::move(endpoints)),
        source_name_(std::move(source_name)),
        target_name_(std::move(target_name)) {
    for (const auto& [name, side] :
         {std::pair(&source_name_, "source"), {&target_name_, "target"}}) {
      if (name->has_value()) continue;
      remarks_.push_back(absl::StrCat(
          "the ", side,
          " exports no snapshot: rows that were written while it was read may "
          "show as differences"));
    }
  }

  // Keeps the sessions that hold the snapshots.
  void Hold(SessionPair holders) {
    const absl::MutexLock lock(&mutex_);
    if (source_name_.has_value()) source_ = std::move(holders.source);
    if (target_name_.has_value()) target_ = std::move(holders.target);
  }

  absl::StatusOr<SessionPair> Open(const Interrupt* interrupt) override {
    ASSIGN_OR_RETURN(SessionPair sessions, ConnectPatiently(interrupt));
    RETURN_IF_ERROR(Annotate(Import(sessions.source, source_name_),
                             "source: taking over the snapshot"));
    RETURN_IF_ERROR(Annotate(Import(sessions.target, target_name_),
                             "target: taking over the snapshot"));
    return sessions;
  }

  void Close(SessionPair sessions) override {
    if (!source_name_.has_value()) Clean(sessions.source);
    if (!target_name_.has_value()) Clean(sessions.target);
  }

  absl::Status Check() override {
    const absl::MutexLock lock(&mutex_);
    if (source_.has_value()) {
      RETURN_IF_ERROR(Annotate(source_->Exec("SELECT").status(),
                               "source: the session that holds the snapshot"));
    }
    if (!target_.has_value()) return absl::OkStatus();
    return Annotate(target_->Exec("SELECT").status(),
                    "target: the session that holds the snapshot");
  }

  int most_sessions() const override {
    return source_name_.has_value() && target_name_.has_value()
               ? std::numeric_limits<int>::max()
               : 1;
  }

  const std::vector<std::string>& remarks() const override { return remarks_; }

 private:
  // A server that serves one session refuses another one until it has noticed
  // that the one before has gone.
  absl::StatusOr<SessionPair> ConnectPatiently(const Interrupt* interrupt) {
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    while (true) {
      absl::StatusOr<SessionPair> sessions =
          Connect(endpoints_, interrupt, Contact::kAgain);
      if (sessions.ok() || most_sessions() > 1 || absl::Now() > deadline ||
          !absl::IsUnavailable(sessions.status())) {
        return sessions;
      }
      if (interrupt == nullptr) {
        absl::SleepFor(absl::Milliseconds(50));
      } else {
        RETURN_IF_ERROR(interrupt->Sleep(absl::Milliseconds(50)));
      }
    }
  }

  const Endpoints endpoints_;
  const std::optional<std::string> source_name_;
  const std::optional<std::string> target_name_;
  std::vector<std::string> remarks_;
  absl::Mutex mutex_;
  std::optional<PgConnection> source_ ABSL_GUARDED_BY(mutex_);
  std::optional<PgConnection> target_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

// Equal encodings need no conversion, and bytes of SQL_ASCII know none.
absl::Status PrepareToCompare(SessionPair& sessions) {
  const std::string source = sessions.source.parameter("server_encoding");
  const std::string target = sessions.target.parameter("server_encoding");
  std::string spoken = "UTF8";
  if (source == target) spoken = source;
  if (source == "SQL_ASCII" || target == "SQL_ASCII") spoken = "SQL_ASCII";
  RETURN_IF_ERROR(
      Annotate(Configure(sessions.source, spoken), "source: session settings"));
  return Annotate(Configure(sessions.target, spoken),
                  "target: session settings");
}

absl::StatusOr<std::unique_ptr<SnapshotPair>> TakeSnapshotPair(
    const Endpoints& endpoints, const Interrupt* interrupt) {
  ASSIGN_OR_RETURN(SessionPair holders,
                   Connect(endpoints, interrupt, Contact::kFirst));
  ASSIGN_OR_RETURN(std::optional<std::string> source, Export(holders.source));
  ASSIGN_OR_RETURN(std::optional<std::string> target, Export(holders.target));
  auto pair = std::make_unique<PresentPair>(endpoints, std::move(source),
                                            std::move(target));
  pair->Hold(std::move(holders));
  return pair;
}

}  // namespace walferry

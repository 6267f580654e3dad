#include "engine/verify/snapshot_pair.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "engine/connect/connect.h"
#include "engine/connect/shared_session.h"
#include "engine/copy/copy_session.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kLockWait = absl::Seconds(30);
// A server that serves one session lets the next client in by then: once it has
// noticed that the one before has gone.
constexpr absl::Duration kLetIn = absl::Seconds(10);
constexpr absl::Duration kPause = absl::Milliseconds(50);

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
  return SessionPair{.source = std::move(source), .target = std::move(target)};
}

absl::Status Configure(PgConnection& session, absl::string_view more) {
  return session
      .Exec(absl::StrCat(
          ValueSettingsSql(session.server_version(), kLockWait),
          // A part of a table is read by one process: others read other parts.
          "SET max_parallel_workers_per_gather = 0;"
          "SET synchronize_seqscans = off;",
          more))
      .status();
}

// The name of the snapshot that the session holds from now on.
absl::StatusOr<std::string> Export(PgConnection& session) {
  RETURN_IF_ERROR(session.Exec(kBegin).status());
  return session.QueryValue("SELECT pg_export_snapshot()");
}

// For a session that others will share. Whether it is as it was before.
bool Clean(PgConnection& session) {
  return !session.broken() && CleanSharedSession(session).ok();
}

// Of a comparison that was interrupted: this is not.
void CleanAnew(const Endpoints& endpoints, bool source) {
  const Connector connector{.endpoints = endpoints};
  const absl::Time deadline = absl::Now() + kLetIn;
  while (absl::Now() < deadline) {
    absl::StatusOr<PgConnection> session = source
                                               ? connector.OpenSource("verify")
                                               : connector.OpenTarget("verify");
    if (session.ok() && Clean(*session)) return;
    if (!session.ok() && !absl::IsUnavailable(session.status())) return;
    absl::SleepFor(kPause);
  }
}

// Whether a server that serves one session has hung up, or has said so in words
// that are no PostgreSQL: it has not noticed yet that the client before has
// gone. All else that cannot be reached is none.
bool MayBeLetInLater(const absl::Status& status) {
  return absl::StrContains(status.message(),
                           "closed the connection unexpectedly") ||
         absl::StrContains(status.message(), "expected authentication request");
}

absl::StatusOr<SessionPair> ConnectOnceLetIn(const Endpoints& endpoints,
                                             const Interrupt* interrupt) {
  const absl::Time deadline = absl::Now() + kLetIn;
  while (true) {
    absl::StatusOr<SessionPair> sessions =
        Connect(endpoints, interrupt, Contact::kFirst);
    if (!MayBeLetInLater(sessions.status()) || absl::Now() > deadline) {
      return sessions;
    }
    if (interrupt == nullptr) {
      absl::SleepFor(kPause);
    } else {
      RETURN_IF_ERROR(interrupt->Sleep(kPause));
    }
  }
}

class PresentPair : public SnapshotPair {
 public:
  // Which sides serve one session.
  PresentPair(Endpoints endpoints, bool source_alone, bool target_alone)
      : endpoints_(std::move(endpoints)),
        source_alone_(source_alone),
        target_alone_(target_alone) {
    for (const auto& [alone, side] :
         {std::pair(source_alone, "source"), {target_alone, "target"}}) {
      if (!alone) continue;
      remarks_.push_back(absl::StrCat(
          "the ", side,
          " exports no snapshot: rows that were written while it was read may "
          "show as differences"));
    }
  }

  ~PresentPair() override {
    if (source_unclean_) CleanAnew(endpoints_, /*source=*/true);
    if (target_unclean_) CleanAnew(endpoints_, /*source=*/false);
  }

  // Takes the snapshots, and keeps the sessions that hold them.
  absl::Status Hold(SessionPair holders) {
    source_unclean_ = source_alone_;
    target_unclean_ = target_alone_;
    RETURN_IF_ERROR(PrepareToCompare(holders));
    if (!source_alone_) {
      ASSIGN_OR_RETURN(source_name_, Export(holders.source));
    }
    if (!target_alone_) {
      ASSIGN_OR_RETURN(target_name_, Export(holders.target));
    }
    CleanShared(holders);
    const absl::MutexLock lock(&mutex_);
    if (!source_alone_) source_ = std::move(holders.source);
    if (!target_alone_) target_ = std::move(holders.target);
    return absl::OkStatus();
  }

  absl::StatusOr<SessionPair> Open(const Interrupt* interrupt) override {
    ASSIGN_OR_RETURN(SessionPair sessions, ConnectPatiently(interrupt));
    if (source_alone_) source_unclean_ = true;
    if (target_alone_) target_unclean_ = true;
    RETURN_IF_ERROR(PrepareToCompare(sessions));
    RETURN_IF_ERROR(Annotate(EnterSnapshot(sessions.source, source_name_),
                             "source: taking over the snapshot"));
    RETURN_IF_ERROR(Annotate(EnterSnapshot(sessions.target, target_name_),
                             "target: taking over the snapshot"));
    return sessions;
  }

  void Close(SessionPair sessions) override { CleanShared(sessions); }

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
    return source_alone_ || target_alone_ ? 1 : std::numeric_limits<int>::max();
  }

  const std::vector<std::string>& remarks() const override { return remarks_; }

 private:
  void CleanShared(SessionPair& sessions) {
    if (source_unclean_ && Clean(sessions.source)) source_unclean_ = false;
    if (target_unclean_ && Clean(sessions.target)) target_unclean_ = false;
  }

  absl::StatusOr<SessionPair> ConnectPatiently(const Interrupt* interrupt) {
    const absl::Time deadline = absl::Now() + kLetIn;
    while (true) {
      absl::StatusOr<SessionPair> sessions =
          Connect(endpoints_, interrupt, Contact::kAgain);
      if (sessions.ok() || most_sessions() > 1 || absl::Now() > deadline ||
          !absl::IsUnavailable(sessions.status())) {
        return sessions;
      }
      if (interrupt == nullptr) {
        absl::SleepFor(kPause);
      } else {
        RETURN_IF_ERROR(interrupt->Sleep(kPause));
      }
    }
  }

  const Endpoints endpoints_;
  const bool source_alone_, target_alone_;  // It serves one session.
  // What is set in that session is still there. Only where one pair is open at
  // a time, so only one thread comes here.
  bool source_unclean_ = false, target_unclean_ = false;
  std::optional<std::string> source_name_, target_name_;
  std::vector<std::string> remarks_;
  absl::Mutex mutex_;
  std::optional<PgConnection> source_ ABSL_GUARDED_BY(mutex_);
  std::optional<PgConnection> target_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

// UTF-8 is what patterns and reports are in; rows are hashed before they are
// converted. Bytes of SQL_ASCII know no conversion.
absl::Status PrepareToCompare(SessionPair& sessions) {
  const std::string source = sessions.source.parameter("server_encoding");
  const std::string target = sessions.target.parameter("server_encoding");
  const bool bytes = source == "SQL_ASCII" || target == "SQL_ASCII";
  std::string settings =
      absl::StrCat("SET client_encoding = ", bytes ? "SQL_ASCII" : "UTF8", ";");
  // So many digits of a float all versions print alike. Columns of floats are
  // compared as they are sent.
  if (std::min(sessions.source.server_version(),
               sessions.target.server_version()) < kShortestFloats) {
    absl::StrAppend(&settings, "SET extra_float_digits = 0;");
  }
  RETURN_IF_ERROR(Annotate(Configure(sessions.source, settings),
                           "source: session settings"));
  return Annotate(Configure(sessions.target, settings),
                  "target: session settings");
}

absl::StatusOr<SessionPair> ConnectToCompare(const Endpoints& endpoints,
                                             const Interrupt* interrupt,
                                             Contact contact) {
  ASSIGN_OR_RETURN(SessionPair sessions,
                   Connect(endpoints, interrupt, contact));
  RETURN_IF_ERROR(PrepareToCompare(sessions));
  return sessions;
}

absl::Status EnterSnapshot(PgConnection& session,
                           const std::optional<std::string>& snapshot) {
  return session
      .Exec(snapshot.has_value()
                ? absl::StrCat(kBegin, "SET TRANSACTION SNAPSHOT ",
                               QuoteLiteral(*snapshot))
                : kBegin)
      .status();
}

absl::StatusOr<std::unique_ptr<SnapshotPair>> TakeSnapshotPair(
    const Endpoints& endpoints, const Interrupt* interrupt) {
  ASSIGN_OR_RETURN(SessionPair holders, ConnectOnceLetIn(endpoints, interrupt));
  ASSIGN_OR_RETURN(const bool source_alone, ServesOneSession(holders.source));
  ASSIGN_OR_RETURN(const bool target_alone, ServesOneSession(holders.target));
  auto pair =
      std::make_unique<PresentPair>(endpoints, source_alone, target_alone);
  RETURN_IF_ERROR(pair->Hold(std::move(holders)));
  return pair;
}

}  // namespace walferry

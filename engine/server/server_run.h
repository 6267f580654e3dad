#ifndef ENGINE_SERVER_SERVER_RUN_H_
#define ENGINE_SERVER_SERVER_RUN_H_

// One run of a move of all databases: from wherever the ledgers say it stands.
// Split by what it does:
//   run_server_migration.cc   the whole, and its end
//   server_run_prepare.cc     checks, ledger, roles and tablespaces
//   server_run_databases.cc   the databases
//   server_run_compare.cc     their comparison with the source
//   server_run_cutover.cc     their cutover, all together

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/connect/connect.h"
#include "engine/control.h"
#include "engine/server/cutover_round.h"
#include "engine/server/database_comparison.h"
#include "engine/server/server_events.h"
#include "engine/server/server_ledger.h"
#include "engine/server/server_plan.h"
#include "engine/server/server_report.h"
#include "engine/server/servers.h"
#include "engine/server/shared_turns.h"
#include "engine/server/stop_relay.h"
#include "protocol/pg_connection.h"

namespace walferry {

class ServerRun {
 public:
  ServerRun(const ServerMigrateOptions& options, Control& control,
            ServerEventSink& events);

  // Called once.
  absl::StatusOr<ServerReport> Run();

 private:
  // run_server_migration.cc
  absl::StatusOr<ServerReport> FailBeforeDatabases(const absl::Status& status);
  void Finish();
  absl::Status Enter(Phase phase);
  void Notify(Notice::Level level, std::string text);
  void NoteError(const absl::Status& status);
  // The target's settings are what they were, or an error says that not.
  absl::Status EndFastTarget();
  absl::Status EndFastTargetForClients(EventSink& events);

  // server_run_prepare.cc
  absl::Status Prepare();
  absl::Status ReadFastTargetNotes(Ledger& ledger);
  absl::Status Plan(PgConnection& source, PgConnection& target, Ledger& ledger);
  absl::Status ReadLedger(PgConnection& source, Ledger& ledger);
  void TellPlan();
  absl::Status StartLedger(PgConnection& source, Ledger& ledger);
  absl::Status NoteDatabases(Ledger& ledger);
  absl::Status SettleFastTarget();
  absl::Status BringGlobals(PgConnection& target, Ledger& ledger);

  // server_run_databases.cc
  void MoveDatabases();
  void ShowLife(int64_t done, int64_t total);
  bool online() const { return options_.migrate.mode == MigrateMode::kOnline; }
  absl::Status NoteSlots(Ledger& ledger);
  // With retries, of what concerns the server and not a database of it.
  absl::Status Persist(
      EventSink& events,
      absl::FunctionRef<absl::Status(PgConnection& target, Ledger& ledger)>
          work);
  absl::StatusOr<Report> MoveDatabase(size_t place, const DatabasePlan& plan,
                                      EventSink& events);
  absl::Status FinishDatabase(const DatabasePlan& plan, const std::string& slot,
                              PgConnection& target, Ledger& ledger);
  absl::Status SetProperties(const DatabasePlan& plan, PgConnection& target,
                             Ledger& ledger);

  // server_run_compare.cc
  struct Moved {
    absl::Time begun;      // By its own ledger.
    std::string compared;  // See ComparedDatabase.
    // What is left to be compared when it is complete.
    VerifyShare share = VerifyShare::kAll;
  };
  absl::StatusOr<Moved> WhatWasMoved(const DatabasePlan& plan,
                                     const MigrateOptions& migrate,
                                     EventSink& events);
  void NoteInItsLedger(const MigrateOptions& migrate,
                       const ComparisonNote& note, EventSink& events);
  absl::Status Note(const LedgerObject& note, EventSink& events);
  absl::Status ForgetWhatSaysNothing(const DatabasePlan& plan,
                                     EventSink& events);
  absl::Status CompareBeforeClients(size_t place, const DatabasePlan& plan,
                                    const MigrateOptions& migrate,
                                    EventSink& events);
  // `before`: what was noted before clients came.
  absl::StatusOr<ComparisonResult> Compare(const MigrateOptions& migrate,
                                           VerifyShare share,
                                           const ComparisonResult& before,
                                           EventSink& events);
  absl::Status CompareMoved(size_t place, const DatabasePlan& plan,
                            const MigrateOptions& migrate, EventSink& events);

  // server_run_cutover.cc
  absl::Status NoteFreeze(const std::string& database,
                          const LedgerObject& freeze);
  void BeginRound(const std::vector<std::string>& names);
  void WatchRound();
  void TellRound(const CutoverRound::View& view);
  void TellGivenUp(const CutoverRound::GivenUp& given_up);
  void TellFailed(const CutoverRound::View& view);
  void TellIfStopIsPutOff();
  void ShowWhatIsWaitedFor(const CutoverRound::View& view);
  absl::Status StoreReport();

  const ServerMigrateOptions& options_;
  Control& asked_;    // What the caller tells.
  Control relayed_;   // The same, but for a stop that is put off.
  Control& control_;  // That one online, otherwise the caller's.
  SerialServerEvents events_;
  DatabaseEvents whole_;
  const Connector connector_;
  SharedTurns turns_;
  std::unique_ptr<CutoverRound> round_;  // Online.
  bool all_caught_up_ = false;           // It has been told.
  bool told_put_off_ = false;
  std::string told_failed_;  // "database c, which has failed".
  absl::Time next_life_ = absl::InfinitePast();
  const absl::Time started_ = absl::Now();

  std::unique_ptr<ServerSession> session_;
  std::string encoding_;  // Of names, on the session.
  // The ledger has this move: phases and errors are noted there.
  bool in_ledger_ = false;
  bool resumed_ = false;
  // The ledger may have notes of what the target's settings were. Under
  // clients_mutex_ while databases are worked on.
  bool fast_noted_ = false;
  absl::Mutex clients_mutex_;
  bool clients_noted_ = false;  // That they work on a database.
  // Each is written by the thread that has taken its place.
  std::vector<ComparisonResult> comparisons_;
  ServerProgress progress_;
  ServerPlan plan_;
  Phase phase_ = Phase::kCheck;
  absl::Time phase_began_;
  bool in_phase_ = false;
  ServerReport report_;
  StopRelay relay_;  // Last, as it asks the others.
};

}  // namespace walferry

#endif  // ENGINE_SERVER_SERVER_RUN_H_

#ifndef ENGINE_MIGRATION_MIGRATION_RUN_H_
#define ENGINE_MIGRATION_MIGRATION_RUN_H_

// One attempt of a migration: from wherever the ledger says it stands, as far
// as it gets. Split by phase:
//   run_migration.cc      attempts and retries
//   migration_begin.cc    check, ledger
//   migration_replace.cc  an empty database in the place of the target's
//   migration_prepare.cc  publication, slot, snapshot
//   migration_resume.cc   the same for a later run: proofs, a new snapshot
//   migration_load.cc     schema, copy, indexes
//   migration_follow.cc   stream
//   migration_meetings.cc one state of both sides, while the stream runs
//   migration_prove.cc    comparisons while the stream runs
//   migration_cutover.cc  cutover
//   migration_finish.cc   what is dropped and reported at the end
//   migration_offline.cc  what takes the place of stream and cutover
//   migration_delayed.cc  the rows of delayed tables, behind all else
//   migration_single.cc   all of it, where a server serves one session

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/catalog/catalog.h"
#include "engine/catalog/schema_facts.h"
#include "engine/connect/connect.h"
#include "engine/control.h"
#include "engine/copy/copy_session.h"
#include "engine/copy/snapshot.h"
#include "engine/cutover/cutover.h"
#include "engine/cutover/unlogged_tables.h"
#include "engine/event.h"
#include "engine/ledger/joint_cutover.h"
#include "engine/ledger/ledger.h"
#include "engine/ledger/life_signs.h"
#include "engine/migration/background_proof.h"
#include "engine/options.h"
#include "engine/report.h"
#include "engine/schema/analyze.h"
#include "engine/schema/pg_tools.h"
#include "engine/schema/schema_dump.h"
#include "engine/schema/schema_plan.h"
#include "engine/schema/schema_restore.h"
#include "engine/scope.h"
#include "engine/stream/follower.h"
#include "engine/stream/meeting.h"
#include "engine/stream/meeting_request.h"
#include "engine/stream/stream_run.h"
#include "engine/turns.h"
#include "protocol/lsn.h"
#include "protocol/pg_connection.h"

namespace walferry {

class MigrationRun {
 public:
  // `joint` is null: it cuts over by itself. `before_usable`: see
  // RunDelayingMigration, may be empty.
  MigrationRun(const MigrateOptions& options, Scope scope, JointCutover* joint,
               std::function<absl::Status()> before_usable, Control& control,
               EventSink& events);

  // OK: the migration is done, report() tells.
  absl::Status Attempt();

  const Report& report() const { return report_; }
  // Where the attempt stands, or ended.
  Phase phase() const { return phase_; }
  // This attempt, or the one before it, did something that no later one need do
  // again.
  bool progressed() const { return progressed_; }
  // All that the migration is, this run began, and nothing can be copied yet.
  bool only_begun() const { return began_ && !consistent_point_.valid(); }
  // Whether the attempt has ended because the next one must ask for text.
  bool TurnToText(const absl::Status& status);
  // No attempt comes any more: the target's settings are put back, if they were
  // changed for a while.
  void PutBackSettings();

 private:
  bool joint() const { return joint_ != nullptr; }
  bool offline() const { return options_.mode == MigrateMode::kOffline; }
  bool carries_schema() const { return options_.scope.carries_schema(); }
  bool carries_rows() const { return options_.scope.carries_rows(); }
  bool analyzes() const { return options_.analyze && carries_rows(); }
  // Of the source, that the migration needs: none if it is offline.
  std::vector<std::string> Publications() const;

  // migration_begin.cc
  absl::Status Connect();
  absl::Status FindTools();
  absl::Status Begin();
  absl::Status LockLedger();
  absl::Status WithdrawOldRequest();
  absl::Status RunChecks();
  absl::Status StartLedger();

  // migration_replace.cc
  absl::Status ReplaceTarget();
  absl::Status CheckMayReplace();
  void CloseTarget();

  // migration_prepare.cc
  absl::Status Prepare();
  absl::Status DumpCatalog();
  absl::Status GuardTables();
  absl::Status RequireIdentities() const;
  absl::Status CreatePublication();
  absl::Status CreateSlotAndSnapshot();
  absl::Status TakeSnapshot(const std::string& slot);
  absl::Status RecordTables();

  // migration_resume.cc
  absl::Status Resume();
  absl::Status CheckSlotKept();
  absl::StatusOr<bool> AllIsCopied();
  absl::Status BringToSnapshot();
  absl::Status CompareSchemaFacts();
  absl::Status CheckNoneLeftOut(
      const std::vector<LedgerTable>& begun_with) const;
  absl::Status CompareWithLedger();

  // migration_load.cc
  SchemaDumpOptions DumpOptions() const;
  absl::Status Dump();
  void TellOfDump();
  absl::Status OpenRestore();
  std::function<void(const SchemaProgress&)> TellOfSteps();
  absl::Status PlanSteps(int64_t of_schema);
  bool Followed() const;
  absl::Status LoadSchema();
  absl::Status CopyRows();
  absl::Status CopyPart(bool delayed);
  absl::Status BuildIndexes();
  absl::Status RestoreStages(const std::vector<SchemaStage>& stages);
  absl::Status Analyze(AnalyzePart part = AnalyzePart::kAll);
  LifeSigns Signs();

  // migration_follow.cc
  absl::StatusOr<std::unique_ptr<StreamRun>> StartStream(
      std::optional<Lsn> until);
  Follower::Context FollowContext(StreamRun& run);
  absl::Status BringTablesTogether();
  absl::Status DrainTo(Lsn end, Phase phase, std::string waiting_for);
  absl::Status Follow();
  RelationGate Gate() const;
  absl::Status FollowUntilCutover(Follower& follower, StreamRun& run);
  absl::StatusOr<bool> CutoverIsAskedFor(const Follower& follower);
  absl::Status CheckStillAsked();
  absl::StatusOr<bool> JointCutoverBegins(const Follower& follower);
  absl::Status WatchSourceIfDue();
  absl::Status WatchSource();
  absl::Status CheckStillPublished();

  // migration_meetings.cc
  absl::StatusOr<std::unique_ptr<HeldStates>> MeetNow(
      Follower& follower, StreamRun& run, const MeetingOptions& options);
  absl::Status BeginMeetings();
  absl::Status LetAppliersGoOn(absl::string_view why);
  absl::Status EndMeetings(
      absl::string_view why,
      const std::function<bool(const MeetingRequest&)>& chosen);
  bool AppliersAreHeld() const;
  absl::Status ServeMeetings(Follower& follower, StreamRun& run,
                             absl::Time deadline = absl::InfiniteFuture());
  absl::Status Answer(MeetingRequests& requests, const MeetingRequest& request,
                      Follower& follower, StreamRun& run, absl::Time deadline);
  absl::Status CheckHeld(MeetingRequests& requests,
                         const MeetingRequest& request);
  // migration_prove.cc
  absl::Status ProveIfDue(const Follower& follower);
  bool ProofIsDue() const;
  void BeginProof();
  absl::StatusOr<bool> TakeProof();
  absl::Status AwaitProof(Follower& follower, StreamRun& run,
                          absl::Time deadline);
  absl::Status ProveForCutover(Follower& follower, StreamRun& run);
  absl::Status ProofAllowsCutover() const;
  void TellOfOldProof();
  absl::Status ProveOnceMore(Follower& follower, StreamRun& run);

  // migration_cutover.cc
  absl::Status ThawLeftover();
  absl::Status ChooseGuard();
  absl::StatusOr<absl::Time> TryCutover(Follower& follower, StreamRun& run);
  absl::Status ComeNear(Follower& follower);
  absl::StatusOr<bool> AgreeWithOthers(
      Follower& follower, JointStep step, bool yes, absl::Time deadline,
      const std::function<absl::StatusOr<bool>()>& holds);
  void TellWrittenLate();
  CutoverSteps StepsOfCutover(Follower& follower, StreamRun& run);
  absl::Status Freeze(Follower& follower);
  absl::Status Thaw(const absl::Status& why);
  absl::Status PrepareRest();
  absl::Status CheckTogether();
  absl::Status FinishTarget();
  absl::StatusOr<bool> SourceIsUnchanged();
  absl::Status CompleteTarget(StreamRun& run);
  absl::Status ProveStillUnwritten();

  // migration_finish.cc
  absl::Status SetSequencesAndViews();
  absl::Status Finish(StreamRun& run, absl::Time still_since);
  absl::Status StoreReport();
  absl::Status DropCreated();
  absl::Status FillReport();
  void RemarkOnSequences();

  // migration_offline.cc
  absl::Status RemoveAcceptedRows();
  absl::Status SettleFastTarget();
  absl::Status EndFastTargetForClients();
  absl::Status CopyLargeObjectsOnce();
  absl::Status Complete();

  // migration_delayed.cc
  bool delays() const { return !catalog_.delayed.empty(); }
  absl::Status ReadWhetherUsable();
  absl::Status CompareBeforeClients();
  absl::Status TellUsable();
  absl::Status KeepDelayedTables();
  absl::Status BuildAllButDelayed();
  absl::Status LoadDelayedTables();
  absl::Status CopyDelayedRows();
  absl::Status FinishDelayedTables();
  void CountWhatWasSet();

  // migration_single.cc
  absl::StatusOr<bool> OneSessionOnly();
  absl::Status MoveThroughOneSession();
  void GiveBack(std::optional<PgConnection>& session,
                const PgConnectOptions& options, absl::string_view side);
  absl::Status MoveInOneTransaction();
  absl::Status DumpAlone();
  absl::StatusOr<SchemaDump> DumpUntilLetIn(const std::string& encoding);
  absl::Status OpenSourceAgain();
  absl::Status HoldSource(const Catalog& dumped);
  absl::Status CreateBeforeRows(const std::vector<DumpEntry>& entries);
  absl::Status CopyRowsAlone();
  absl::Status CopyLargeObjectsAlone();
  absl::Status RunStages(const SchemaPlan& plan,
                         const std::vector<SchemaStage>& stages);
  absl::Status AnalyzeAlone();
  absl::Status CommitTarget();
  absl::Status SettleCommit(const std::string& transaction,
                            const absl::Status& lost);

  absl::Status MeasureWork();
  // Gives back the turn that it has, and waits for the other.
  absl::Status TakeTurn(Work work);
  absl::Status TakeTurnToRead();
  // Tells of a phase's beginning, and of the end of the one before.
  absl::Status Enter(Phase phase, bool resumed = false);
  void Notify(Notice::Level level, std::string text);
  CopySessionOptions CopySession() const;

  const MigrateOptions& options_;
  const Scope scope_;
  JointCutover* const joint_;
  const std::function<absl::Status()> before_usable_;
  Control& control_;
  EventSink& events_;
  const Connector connector_;
  const std::string publication_;
  const std::string slot_;
  const absl::Time started_ = absl::Now();
  Contact contact_ = Contact::kFirst;

  // Of one attempt, in the order of Attempt().
  std::optional<Turn> turn_;
  std::optional<PgConnection> source_;
  std::optional<PgConnection> target_;
  std::optional<Ledger> ledger_;
  std::optional<LedgerMigration> known_;
  // Where the slot's stream begins; 0/0 until what it begins with is recorded.
  Lsn consistent_point_;
  std::optional<PgTools> tools_;
  std::string encoding_;
  // The target's role may keep triggers and foreign keys quiet.
  bool may_guard_ = false;
  // They serve one session, see engine/connect/shared_session.h.
  bool source_alone_ = false;
  bool target_alone_ = false;
  // They wait for the cutover, see LedgerMigration.
  bool defer_triggers_ = false;
  // Some of them are there and are not kept quiet: no change may come.
  bool sealed_ = false;
  // The freeze that has been made, or is about to be.
  std::optional<LedgerObject> frozen_;
  std::unique_ptr<SourceSnapshot> snapshot_;
  Catalog catalog_;
  SchemaFacts facts_;  // As of before the dump.
  std::optional<SchemaDump> dump_;
  std::optional<SchemaRestore> restore_;
  // The copied tables' positions, for the stream.
  absl::flat_hash_map<QualifiedName, Lsn> copied_at_;
  std::optional<UnloggedTables> unlogged_;
  absl::Time next_watch_;
  // For other processes, by their requests.
  std::map<std::string, std::unique_ptr<HeldStates>> held_states_;

  Phase phase_ = Phase::kCheck;
  absl::Time phase_started_;
  bool in_phase_ = false;
  bool progressed_ = false;
  // Steps, tables and bytes that the ledger has held at most.
  int64_t work_held_ = 0;
  // The ledger has this migration.
  bool in_ledger_ = false;
  // It was this run's to go on with: whoever is refused has no error to note.
  bool went_on_ = false;
  bool of_another_ = false;       // Another process runs it, or may do so.
  bool asked_in_ledger_ = false;  // And by nobody else: it may be withdrawn.
  bool sought_old_request_ = false;
  // Clients may work on the target: all is there but what is delayed.
  bool usable_ = false;
  bool began_ = false;
  bool checked_ = false;
  bool replaced_ = false;  // The target's database is one that this run made.
  FollowTotals followed_;  // By all attempts.
  // The last comparison of this run that has ended.
  struct Proved {
    std::string text;
    absl::Duration took;
    bool failed = false;  // It could not be made.
    ComparisonResult comparison;

    bool equal() const {
      return comparison.state == ComparisonResult::State::kEqual;
    }
  };
  std::optional<Proved> proved_;
  bool text_only_ = false;
  // The ledger may have notes of what the target's settings were.
  bool fast_noted_ = false;
  Report report_;
  // One that goes on. Ends before all that it is told of.
  std::unique_ptr<BackgroundProof> proving_;
};

}  // namespace walferry

#endif  // ENGINE_MIGRATION_MIGRATION_RUN_H_

#include "engine/verify/row_comparison.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "engine/verify/comparison_tasks.h"
#include "engine/verify/moving_tables.h"
#include "engine/verify/piece.h"
#include "engine/verify/row_differences.h"
#include "engine/verify/row_room.h"
#include "engine/verify/table_hold.h"
#include "engine/verify/table_pieces.h"
#include "engine/verify/table_work.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(50);

// How often a table is begun with again that is truncated while it is read.
constexpr int kMostRestarts = 20;

// Of a table that is cut without a key, a sample takes rows by their key.
constexpr int64_t kKeyShares = int64_t{1} << 16;

// Numbers that look like chance and are the same every time (splitmix64).
uint64_t Mixed(uint64_t number) {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  return number ^ (number >> 31);
}

uint64_t MixedText(absl::string_view text) {
  uint64_t mixed = 0;
  for (const char byte : text) {
    mixed = Mixed(mixed ^ static_cast<unsigned char>(byte));
  }
  return mixed;
}

// Whether the error is of one table alone, as the server knows it.
bool IsOfTable(const absl::Status& status) {
  return !SqlStateOf(status).empty() && !absl::IsUnavailable(status) &&
         !absl::IsCancelled(status) && !absl::IsDeadlineExceeded(status);
}

class Comparison {
 public:
  Comparison(const RowComparisonOptions& options, SnapshotPair& snapshots,
             const std::vector<TablePair>& pairs, VerifyNotes* notes,
             const Control& control)
      : options_(options),
        snapshots_(snapshots),
        look_{.hash = options.hash,
              .count_only = options.method == VerifyMethod::kCounts,
              .clients_write = options.clients_write},
        row_room_(options.max_reported_bytes),
        interrupt_(&control.interrupt()),
        notes_(notes),
        workers_(std::min<size_t>(
            pairs.size(), static_cast<size_t>(std::clamp(
                              options.jobs, 1, snapshots.most_sessions())))),
        tasks_(pairs.size(), workers_),
        restarts_(pairs.size()) {
    for (const TablePair& pair : pairs) {
      work_.push_back(std::make_unique<TableWork>(pair));
      bytes_total_ += pair.source.bytes;
    }
  }

  absl::Status Run(EventSink& events) {
    std::vector<std::jthread> threads;
    {
      const absl::MutexLock lock(&mutex_);
      running_ = workers_;
      active_.resize(workers_);
      begun_ = absl::Now();
    }
    for (size_t worker = 0; worker < workers_; ++worker) {
      threads.emplace_back([this, worker] { Work(worker); });
    }
    absl::Time next = absl::Now();
    while (!WaitForEnd()) {
      if (absl::Status renewed = RenewIfDue(); !renewed.ok()) {
        Stop(renewed);
        break;
      }
      if (absl::Now() < next) continue;
      next = absl::Now() + options_.progress_interval;
      if (absl::Status held = snapshots_.Check(); !held.ok()) {
        Stop(held);
        break;
      }
      events.OnEvent(Now());
    }
    threads.clear();
    events.OnEvent(Now());
    const absl::MutexLock lock(&mutex_);
    return failure_;
  }

  RowComparisonResult TakeResult() {
    RowComparisonResult result;
    const absl::MutexLock lock(&mutex_);
    for (const auto& work : work_) {
      result.rows += work->rows();
      result.tables.push_back(std::move(work->verdict()));
    }
    absl::c_stable_sort(differing_, [](const auto& a, const auto& b) {
      return a.table < b.table;
    });
    result.differing = std::move(differing_);
    result.bytes = std::min(bytes_, bytes_total_);
    result.remarks = remarks_;
    if (kept_ > 0) {
      result.remarks.push_back(absl::StrCat(
          kept_, kept_ == 1 ? " range is" : " ranges are", " as of ",
          kept_since_,
          kept_since_ == kept_until_ ? "" : absl::StrCat(" to ", kept_until_),
          ", when a run before found them equal, and not compared again"));
    }
    return result;
  }

 private:
  void Work(size_t worker) {
    const absl::Status ended = WorkThroughTasks(worker);
    const absl::MutexLock lock(&mutex_);
    if (!ended.ok() && failure_.ok()) {
      failure_ = ended;
      interrupt_.Raise();
      tasks_.Stop();
    }
    tasks_.WorkerEnds();
    --running_;
  }

  // The states are held until all who read them have ended what they are at.
  absl::Status RenewIfDue() {
    if (!snapshots_.renewable()) return absl::OkStatus();
    if (snapshots_.expired()) tasks_.WantRenewal();
    if (!tasks_.renewal_is_due()) return absl::OkStatus();
    if (!tasks_.nothing_left()) RETURN_IF_ERROR(snapshots_.Renew());
    tasks_.Renewed();
    return absl::OkStatus();
  }

  absl::Status WorkThroughTasks(size_t worker) {
    std::optional<SessionPair> sessions;
    // Tables that these sessions hold.
    absl::flat_hash_set<size_t> held;
    while (true) {
      if (!sessions.has_value()) {
        held.clear();
        absl::StatusOr<SessionPair> opened = snapshots_.Open(&interrupt_);
        if (!opened.ok()) return CannotOpen(worker, opened.status());
        sessions.emplace(*std::move(opened));
        if (snapshots_.renewable()) RETURN_IF_ERROR(SetSavepoints(*sessions));
      }
      ComparisonTask task;
      const ComparisonTasks::Next next = tasks_.Take(task);
      if (next != ComparisonTasks::Next::kTask) {
        snapshots_.Close(*std::move(sessions));
        sessions.reset();
        if (next == ComparisonTasks::Next::kEnd) return absl::OkStatus();
        tasks_.AwaitRenewal();
        continue;
      }
      absl::Status done = absl::OkStatus();
      // In the way of nobody where changes go on: there each piece is looked at
      // behind it.
      if (!snapshots_.renewable() && held.insert(task.table).second) {
        done = HoldTable(*sessions, work_[task.table]->pair());
      }
      if (done.ok()) done = Do(worker, task, *sessions);
      if (!done.ok() && !IsOfTable(done)) return done;
      // The transactions have failed with it.
      if (!done.ok()) {
        snapshots_.Close(*std::move(sessions));
        sessions.reset();
      } else if (snapshots_.renewable()) {
        RETURN_IF_ERROR(GoBackToSavepoints(*sessions));
      }
      Finish(worker, task, done);
      tasks_.Done();
    }
  }

  absl::Status Do(size_t worker, const ComparisonTask& task,
                  SessionPair& sessions) {
    TableWork* work = nullptr;
    {
      const absl::MutexLock lock(&mutex_);
      if (!tasks_.IsCurrent(task)) return absl::OkStatus();
      work = work_[task.table].get();
      active_[worker] = ActiveItem{.name = ToDisplay(work->pair().name),
                                   .bytes_total = work->pair().source.bytes};
    }
    return task.piece.has_value() ? Compare(sessions, *work, task)
                                  : Cut(sessions, *work, task);
  }

  absl::Status CannotOpen(size_t worker, const absl::Status& why) {
    constexpr absl::string_view kTooManyConnections = "53300";
    if (worker == 0 || SqlStateOf(why) != kTooManyConnections) return why;
    const absl::MutexLock lock(&mutex_);
    remarks_.push_back(
        absl::StrCat("one worker less compared rows: ", why.message()));
    return absl::OkStatus();
  }

  void Finish(size_t worker, const ComparisonTask& task,
              const absl::Status& status) {
    const absl::MutexLock lock(&mutex_);
    active_[worker].reset();
    if (!tasks_.IsCurrent(task)) return;
    TableWork& work = *work_[task.table];
    if (!status.ok()) work.Fail(status);
    const auto pieces =
        static_cast<int64_t>(std::max<size_t>(1, work.cut().pieces.size()));
    if (!task.piece.has_value()) {
      if (status.ok() && work.left() > 0) {
        tasks_.AddPieces(task, work.chosen(), !work.cut().by_key);
        return;
      }
      bytes_ += work.pair().source.bytes;
    } else {
      bytes_ += work.pair().source.bytes / pieces;
      if (!work.PieceDone()) return;
    }
    work.End(look_, options_.max_reported);
    ++tables_done_;
  }

  // Not by a reader of rows that were written down by another one.
  std::string SignatureOf(const TablePair& pair) const {
    return absl::StrCat(
        options_.databases, " ", pair.source.files, " and ", pair.target.files,
        " ", RowHashName(options_.hash), " of ",
        absl::StrJoin(pair.columns, ","), " by ", absl::StrJoin(pair.key, ","),
        " in ", options_.range_bytes, SampleCondition(pair, pair.source));
  }

  // Of a table that is cut without its key.
  std::string SampleCondition(const TablePair& pair,
                              const TableSide& side) const {
    if (options_.method != VerifyMethod::kSample || pair.key.empty() ||
        PiecesOf(pair, options_.range_bytes) == 1) {
      return "";
    }
    return absl::Substitute(
        "($0 # $1) & $2 < $3", HashSql(options_.hash, KeyTextSql(side)),
        static_cast<int64_t>(Mixed(options_.seed) % kKeyShares), kKeyShares - 1,
        static_cast<int64_t>(options_.sample_percent / 100 * kKeyShares));
  }

  absl::Status Cut(SessionPair& sessions, TableWork& work,
                   const ComparisonTask& task) {
    const TablePair& pair = work.pair();
    work.verdict().method =
        std::string(look_.count_only ? "count" : RowHashName(options_.hash));
    const int64_t pieces = PiecesOf(pair, options_.range_bytes);
    TablePieces cut =
        BlockPieces(pair, pieces, sessions.source.server_version(),
                    sessions.target.server_version());
    if (look_.count_only) {
      return Begin(work, std::move(cut), std::nullopt);
    }
    std::optional<VerifyNote> note;
    // What is noted of a table that was written anew is of its rows before.
    if (!IsBegunAgain(task)) note = FindNote(pair);
    if (pair.ordered && pieces > 1) {
      std::vector<KeyBoundary> boundaries;
      if (note.has_value()) {
        boundaries = note->boundaries;
      } else {
        ASSIGN_OR_RETURN(boundaries,
                         SampleBoundaries(sessions.source, pair, pieces));
      }
      if (!boundaries.empty()) {
        if (!note.has_value()) BeginNote(pair, boundaries);
        return Begin(work, PiecesBetween(pair, boundaries), std::move(note));
      }
    }
    if (note.has_value() && !note->boundaries.empty()) note.reset();
    if (!SampleCondition(pair, pair.source).empty()) work.SetRowsSampled();
    for (Piece& piece : cut.pieces) {
      AddCondition(SampleCondition(pair, pair.source), piece.source_condition);
      AddCondition(SampleCondition(pair, pair.target), piece.target_condition);
    }
    if (!note.has_value()) BeginNote(pair, {});
    return Begin(work, std::move(cut), std::move(note));
  }

  static void AddCondition(const std::string& more, std::string& condition) {
    if (more.empty()) return;
    condition =
        condition.empty() ? more : absl::StrCat(condition, " AND ", more);
  }

  absl::Status Begin(TableWork& work, TablePieces cut,
                     std::optional<VerifyNote> note) {
    std::vector<size_t> chosen;
    std::vector<std::string> kept_at;
    int64_t kept = 0, kept_rows = 0;
    const bool whole_note = note.has_value() && !cut.by_key;
    for (const size_t piece : Choose(work.pair(), cut)) {
      const size_t range = whole_note ? 0 : piece;
      if (!note.has_value() || !note->equal_rows[range].has_value()) {
        chosen.push_back(piece);
        continue;
      }
      ++kept;
      kept_at.push_back(note->noted_at[range]);
      if (kept == 1 || !whole_note) kept_rows += *note->equal_rows[range];
    }
    const absl::MutexLock lock(&mutex_);
    kept_ += kept;
    for (const std::string& at : kept_at) {
      if (kept_since_.empty() || at < kept_since_) kept_since_ = at;
      kept_until_ = std::max(kept_until_, at);
    }
    work.Begin(cut, std::move(chosen), kept, kept_rows);
    return absl::OkStatus();
  }

  // All, or of a sample those that are in it, one at least.
  std::vector<size_t> Choose(const TablePair& pair,
                             const TablePieces& cut) const {
    const bool sampled = options_.method == VerifyMethod::kSample && cut.by_key;
    const uint64_t table = MixedText(Quote(pair.name)) ^ options_.seed;
    std::vector<size_t> chosen;
    std::pair<uint64_t, size_t> least = {~uint64_t{0}, 0};
    for (size_t piece = 0; piece < cut.pieces.size(); ++piece) {
      const uint64_t number = Mixed(Mixed(table) ^ piece);
      least = std::min(least, {number, piece});
      if (!sampled || static_cast<double>(number % 1'000'000) <
                          options_.sample_percent * 10'000) {
        chosen.push_back(piece);
      }
    }
    if (chosen.empty()) chosen.push_back(least.second);
    return chosen;
  }

  // Its rows are not those of the states any more: the table is compared in
  // newer ones. What others are still at is of no use, but may not vanish.
  void BeginAgain(const ComparisonTask& task) {
    const absl::MutexLock lock(&mutex_);
    if (!tasks_.IsCurrent(task)) return;
    std::unique_ptr<TableWork>& work = work_[task.table];
    if (++restarts_[task.table] > kMostRestarts) {
      work->Fail(absl::AbortedError(
          absl::StrCat("it was truncated or written anew each of ",
                       kMostRestarts + 1, " times that it was read")));
      return;
    }
    auto again = std::make_unique<TableWork>(work->pair());
    given_up_.push_back(std::exchange(work, std::move(again)));
    std::erase_if(differing_, [&task](const DifferingPiece& piece) {
      return piece.table == task.table;
    });
    tasks_.Postpone(task.table);
  }

  bool IsBegunAgain(const ComparisonTask& task) {
    const absl::MutexLock lock(&mutex_);
    return restarts_[task.table] > 0;
  }

  absl::Status Compare(SessionPair& sessions, TableWork& work,
                       const ComparisonTask& task) {
    if (HasFailed(work)) return absl::OkStatus();
    const size_t number = *task.piece;
    const TablePair& pair = work.pair();
    const Piece& piece = work.cut().pieces[number];
    ASSIGN_OR_RETURN(DigestPair digests,
                     DigestPiece(sessions, pair, piece, look_));
    if (snapshots_.renewable()) {
      ASSIGN_OR_RETURN(const bool others, WereWrittenAnew(sessions, pair));
      if (others) {
        BeginAgain(task);
        return absl::OkStatus();
      }
    }
    int64_t room = 0;
    {
      const absl::MutexLock lock(&mutex_);
      const bool last = work.AddDigests(digests);
      room = options_.max_reported - work.found();
      if (!work.cut().by_key) {
        if (!last) return absl::OkStatus();
        digests = work.digests();
      }
      // Its rows would be read twice more, to be left out.
      if (room <= 0 && !look_.count_only &&
          !(digests.source == digests.target)) {
        NoteDiffering(task, work.cut().by_key ? piece : WholePiece(pair),
                      digests);
        work.LeaveOutRows();
        return absl::OkStatus();
      }
    }
    if (digests.source == digests.target) {
      if (!look_.count_only) {
        NoteEqual(pair, work.cut().by_key ? number : 0, digests.source.rows);
      }
      return absl::OkStatus();
    }
    if (look_.count_only) return absl::OkStatus();
    const Piece differing = work.cut().by_key ? piece : WholePiece(pair);
    ASSIGN_OR_RETURN(RowFindings findings,
                     FindRowDifferences(sessions, pair, differing, look_,
                                        digests, room, row_room_));
    const absl::MutexLock lock(&mutex_);
    NoteDiffering(task, differing, digests);
    work.AddFindings(number, std::move(findings));
    return absl::OkStatus();
  }

  void NoteDiffering(const ComparisonTask& task, const Piece& piece,
                     const DigestPair& digests)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!tasks_.IsCurrent(task)) return;
    differing_.push_back(
        {.table = task.table, .piece = piece, .digests = digests});
  }

  Piece WholePiece(const TablePair& pair) const {
    return {.source_condition = SampleCondition(pair, pair.source),
            .target_condition = SampleCondition(pair, pair.target)};
  }

  bool HasFailed(const TableWork& work) {
    const absl::MutexLock lock(&mutex_);
    return work.failed();
  }

  // What goes wrong with notes costs time at the next run and nothing else.
  template <typename Function>
  void WithNotes(Function function) {
    const absl::MutexLock lock(&notes_mutex_);
    if (notes_ == nullptr) return;
    const absl::Status status = function(*notes_);
    if (status.ok()) return;
    notes_ = nullptr;
    const absl::MutexLock result_lock(&mutex_);
    remarks_.push_back(absl::StrCat(
        "what was found equal is not noted on the target any more, so that a "
        "later run would begin anew: ",
        status.message()));
  }

  std::optional<VerifyNote> FindNote(const TablePair& pair) {
    std::optional<VerifyNote> note;
    WithNotes([&](VerifyNotes& notes) -> absl::Status {
      ASSIGN_OR_RETURN(
          note, notes.Find(pair.name, SignatureOf(pair), pair.key.size()));
      return absl::OkStatus();
    });
    return note;
  }

  void BeginNote(const TablePair& pair,
                 const std::vector<KeyBoundary>& boundaries) {
    WithNotes([&](VerifyNotes& notes) {
      return notes.Begin(pair.name, SignatureOf(pair), boundaries);
    });
  }

  void NoteEqual(const TablePair& pair, size_t range, int64_t rows) {
    WithNotes([&](VerifyNotes& notes) {
      return notes.SetEqual(pair.name, range, rows);
    });
  }

  void Stop(const absl::Status& why) {
    const absl::MutexLock lock(&mutex_);
    if (failure_.ok()) failure_ = why;
    interrupt_.Raise();
    tasks_.Stop();
  }

  bool WaitForEnd() {
    const absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(
        absl::Condition(
            +[](Comparison* self) ABSL_EXCLUSIVE_LOCKS_REQUIRED(self->mutex_) {
              return self->running_ == 0;
            },
            this),
        kTick);
  }

  Progress Now() {
    const absl::MutexLock lock(&mutex_);
    Progress progress{.phase = Phase::kVerify,
                      .items_done = tables_done_,
                      .items_total = static_cast<int64_t>(work_.size()),
                      .bytes = std::min(bytes_, bytes_total_),
                      .bytes_total = bytes_total_,
                      .elapsed = absl::Now() - begun_};
    for (const auto& work : work_) progress.rows += work->rows();
    for (const std::optional<ActiveItem>& item : active_) {
      if (item.has_value()) progress.active.push_back(*item);
    }
    return progress;
  }

  const RowComparisonOptions& options_;
  SnapshotPair& snapshots_;
  const RowLook look_;
  RowRoom row_room_;
  Interrupt interrupt_;
  int64_t bytes_total_ = 0;

  // Taken before mutex_.
  absl::Mutex notes_mutex_;
  VerifyNotes* notes_ ABSL_GUARDED_BY(notes_mutex_);

  const size_t workers_;
  ComparisonTasks tasks_;

  absl::Mutex mutex_;
  // A table's cut is written before its pieces are tasks, and only read later.
  std::vector<std::unique_ptr<TableWork>> work_;
  std::vector<DifferingPiece> differing_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<TableWork>> given_up_ ABSL_GUARDED_BY(mutex_);
  std::vector<int> restarts_ ABSL_GUARDED_BY(mutex_);  // By table.
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> remarks_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::optional<ActiveItem>> active_ ABSL_GUARDED_BY(mutex_);
  int64_t tables_done_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // Ranges that a run before has found equal, and when.
  int64_t kept_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string kept_since_ ABSL_GUARDED_BY(mutex_);
  std::string kept_until_ ABSL_GUARDED_BY(mutex_);
  absl::Time begun_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<RowComparisonResult> CompareTableRows(
    const RowComparisonOptions& options, SnapshotPair& snapshots,
    const std::vector<TablePair>& pairs, VerifyNotes* notes,
    const Control& control, EventSink& events) {
  Comparison comparison(options, snapshots, pairs, notes, control);
  RETURN_IF_ERROR(comparison.Run(events));
  return comparison.TakeResult();
}

}  // namespace walferry

#include "engine/schema/analyze.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "engine/connect/retry_policy.h"
#include "protocol/pg_result.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr char kRoots[] =
    "SELECT n.nspname, c.relname, rn.nspname, r.relname"
    " FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_class r ON r.oid = pg_catalog.pg_partition_root(c.oid)"
    " JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace"
    " WHERE c.relispartition AND c.relkind IN ('r', 'p')";

// Partitioned tables with foreign partitions.
constexpr char kForeign[] =
    "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.oid IN (SELECT pg_catalog.pg_partition_root(f.oid)"
    " FROM pg_catalog.pg_class f WHERE f.relispartition AND f.relkind = 'f')";

// By the step of a partitioned table that has foreign partitions: its tables.
using LocalTables =
    absl::flat_hash_map<std::string, std::vector<QualifiedName>>;

// What could not be analyzed, of all workers.
class Missing {
 public:
  void Add(std::string sentence) {
    absl::MutexLock lock(&mutex_);
    sentences_.push_back(std::move(sentence));
  }
  std::vector<std::string> Take() {
    absl::MutexLock lock(&mutex_);
    return std::move(sentences_);
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> sentences_ ABSL_GUARDED_BY(mutex_);
};

class AnalyzeWorker : public StepWorker {
 public:
  AnalyzeWorker(PgConnection connection, const LocalTables& local,
                Missing& missing)
      : connection_(std::move(connection)), local_(local), missing_(missing) {}

  absl::Status Run(const SchemaStep& step) override {
    const absl::Status done =
        Annotate(connection_.Exec(step.sql).status(), step.display);
    const auto local = local_.find(step.id);
    if (done.ok() || local == local_.end() || absl::IsCancelled(done) ||
        IsRetriable(done)) {
      return done;
    }
    for (const QualifiedName& table : local->second) {
      const std::string sql = absl::StrCat("ANALYZE ", Quote(table));
      RETURN_IF_ERROR(Annotate(connection_.Exec(sql).status(),
                               absl::StrCat("ANALYZE ", ToDisplay(table))));
    }
    missing_.Add(absl::StrCat(
        "a partitioned table has no statistics as a whole, as a foreign "
        "partition could not be read (its other partitions have theirs): ",
        done.message(), "; repeat it when that can be read"));
    return absl::OkStatus();
  }

 private:
  PgConnection connection_;
  const LocalTables& local_;
  Missing& missing_;
};

std::string StepOf(const QualifiedName& piece) {
  return absl::StrCat("ANALYZE ", ToDisplay(piece));
}

// What is analyzed as one piece, with its size. Fills `local`.
absl::StatusOr<std::map<QualifiedName, int64_t>> Pieces(PgConnection& target,
                                                        const Catalog& catalog,
                                                        AnalyzePart part,
                                                        LocalTables& local) {
  const absl::flat_hash_set<QualifiedName> in_scope(catalog.partitioned.begin(),
                                                    catalog.partitioned.end());
  ASSIGN_OR_RETURN(const PgResult rows, target.Exec(kRoots));
  absl::flat_hash_map<QualifiedName, QualifiedName> root_of;
  for (int row = 0; row < rows.rows(); ++row) {
    QualifiedName root = {std::string(rows.Text(row, 2)),
                          std::string(rows.Text(row, 3))};
    if (!in_scope.contains(root)) continue;
    root_of.emplace(QualifiedName{std::string(rows.Text(row, 0)),
                                  std::string(rows.Text(row, 1))},
                    std::move(root));
  }
  ASSIGN_OR_RETURN(const PgResult foreign, target.Exec(kForeign));
  for (int row = 0; row < foreign.rows(); ++row) {
    local[StepOf({std::string(foreign.Text(row, 0)),
                  std::string(foreign.Text(row, 1))})];
  }
  const auto piece_of = [&](const QualifiedName& table) {
    const auto root = root_of.find(table);
    return root == root_of.end() ? table : root->second;
  };
  std::map<QualifiedName, int64_t> pieces;
  std::map<QualifiedName, int64_t> of_the_other_part;
  for (const CatalogTable& table : catalog.tables) {
    const bool wanted = part == AnalyzePart::kAll ||
                        table.delayed == (part == AnalyzePart::kDelayed);
    const QualifiedName piece = piece_of(table.name);
    (wanted ? pieces : of_the_other_part)[piece] += table.bytes;
    const auto tree = local.find(StepOf(piece));
    if (tree != local.end()) tree->second.push_back(table.name);
  }
  // One without any partition has no delayed rows either.
  for (const QualifiedName& table : catalog.partitioned) {
    const QualifiedName piece = piece_of(table);
    if (part == AnalyzePart::kDelayed || of_the_other_part.contains(piece)) {
      continue;
    }
    pieces[piece] += 0;
  }
  return pieces;
}

std::vector<SchemaStep> Steps(const std::map<QualifiedName, int64_t>& pieces) {
  std::vector<std::pair<int64_t, QualifiedName>> ordered;
  for (const auto& [table, bytes] : pieces) ordered.emplace_back(-bytes, table);
  std::sort(ordered.begin(), ordered.end());
  std::vector<SchemaStep> steps;
  for (const auto& [bytes, table] : ordered) {
    const std::string display = StepOf(table);
    steps.push_back({.id = display,
                     .display = display,
                     .sql = absl::StrCat("ANALYZE ", Quote(table)),
                     .exclusive = false,
                     .rank = steps.size()});
  }
  return steps;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> AnalyzeTables(
    const PgConnectOptions& target, const Catalog& catalog, int jobs,
    const std::function<void(const SchemaProgress&)>& on_progress,
    AnalyzePart part) {
  ASSIGN_OR_RETURN(PgConnection connection, PgConnection::Open(target));
  LocalTables local;
  Missing missing;
  ASSIGN_OR_RETURN(const auto pieces, Pieces(connection, catalog, part, local));
  const std::vector<SchemaStep> steps = Steps(pieces);
  std::vector<std::unique_ptr<StepWorker>> workers;
  workers.push_back(
      std::make_unique<AnalyzeWorker>(std::move(connection), local, missing));
  while (workers.size() < std::min(static_cast<size_t>(jobs), steps.size())) {
    ASSIGN_OR_RETURN(PgConnection another, PgConnection::Open(target));
    workers.push_back(
        std::make_unique<AnalyzeWorker>(std::move(another), local, missing));
  }
  RETURN_IF_ERROR(RunSteps(steps, StepQueue(steps, SchemaStage::kIndexes, {}),
                           std::move(workers), {.on_progress = on_progress})
                      .status);
  return missing.Take();
}

}  // namespace walferry

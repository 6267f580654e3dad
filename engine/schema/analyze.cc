#include "engine/schema/analyze.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
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

class AnalyzeWorker : public StepWorker {
 public:
  explicit AnalyzeWorker(PgConnection connection)
      : connection_(std::move(connection)) {}

  absl::Status Run(const SchemaStep& step) override {
    return Annotate(connection_.Exec(step.sql).status(), step.display);
  }

 private:
  PgConnection connection_;
};

// What is analyzed as one piece, with its size.
absl::StatusOr<std::map<QualifiedName, int64_t>> Pieces(PgConnection& target,
                                                        const Catalog& catalog,
                                                        AnalyzePart part) {
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
  const auto piece_of = [&](const QualifiedName& table) {
    const auto root = root_of.find(table);
    return root == root_of.end() ? table : root->second;
  };
  std::map<QualifiedName, int64_t> pieces;
  std::map<QualifiedName, int64_t> of_the_other_part;
  for (const CatalogTable& table : catalog.tables) {
    const bool wanted = part == AnalyzePart::kAll ||
                        table.delayed == (part == AnalyzePart::kDelayed);
    (wanted ? pieces : of_the_other_part)[piece_of(table.name)] += table.bytes;
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
    const std::string display = absl::StrCat("ANALYZE ", ToDisplay(table));
    steps.push_back({.id = display,
                     .display = display,
                     .sql = absl::StrCat("ANALYZE ", Quote(table)),
                     .exclusive = false,
                     .rank = steps.size()});
  }
  return steps;
}

}  // namespace

absl::Status AnalyzeTables(
    const PgConnectOptions& target, const Catalog& catalog, int jobs,
    const std::function<void(const SchemaProgress&)>& on_progress,
    AnalyzePart part) {
  ASSIGN_OR_RETURN(PgConnection connection, PgConnection::Open(target));
  ASSIGN_OR_RETURN(const auto pieces, Pieces(connection, catalog, part));
  const std::vector<SchemaStep> steps = Steps(pieces);
  std::vector<std::unique_ptr<StepWorker>> workers;
  workers.push_back(std::make_unique<AnalyzeWorker>(std::move(connection)));
  while (workers.size() < std::min(static_cast<size_t>(jobs), steps.size())) {
    ASSIGN_OR_RETURN(PgConnection another, PgConnection::Open(target));
    workers.push_back(std::make_unique<AnalyzeWorker>(std::move(another)));
  }
  return RunSteps(steps, StepQueue(steps, SchemaStage::kIndexes, {}),
                  std::move(workers), {.on_progress = on_progress})
      .status;
}

}  // namespace walferry

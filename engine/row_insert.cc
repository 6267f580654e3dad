#include "engine/row_insert.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apply/row_array.h"
#include "apply/set_statement.h"
#include "apply/table_mapping.h"
#include "apply/target_table.h"
#include "protocol/copy_text.h"
#include "protocol/pg_copy.h"
#include "protocol/quoting.h"
#include "protocol/status.h"
#include "protocol/tuple.h"

namespace walferry {
namespace {

// Of one statement: enough that its round trip costs little, and little for a
// server of 32 bits.
constexpr size_t kStatementBytes = size_t{1} << 20;
constexpr size_t kStatementRows = 5000;

SourceRelation RelationOf(const CatalogTable& table) {
  SourceRelation relation{.id = table.oid, .name = table.name};
  for (const CatalogColumn& column : table.columns) {
    if (column.generated != 0) continue;
    relation.columns.push_back(
        {.name = column.name, .type_oid = column.type_oid});
  }
  return relation;
}

// Gathers rows and inserts them.
class Inserter {
 public:
  Inserter(PgConnection& target, TableMapping mapping)
      : target_(target),
        mapping_(std::move(mapping)),
        sql_(BuildStatements(mapping_, SetShape{.kind = ChangeKind::kInsert})
                 .front()
                 .sql),
        rows_(RowArray::OfRows(mapping_, /*binary=*/false)),
        columns_(mapping_.source.columns.size()),
        unescaped_(columns_.size()) {}

  // A line of COPY's text format, without its newline.
  absl::Status Add(absl::string_view line) {
    if (columns_.empty()) {
      ++without_columns_;
      return absl::OkStatus();
    }
    CopyTextRow row(line);
    size_t count = 0;
    for (; !row.done(); ++count) {
      const std::optional<absl::string_view> field = row.Next();
      if (count >= columns_.size()) continue;
      columns_[count] = {};
      if (!field) continue;
      ASSIGN_OR_RETURN(const absl::string_view value,
                       UnescapeCopyText(*field, &unescaped_[count]));
      columns_[count] = {.kind = ColumnKind::kText, .value = value};
    }
    if (count != columns_.size()) {
      return absl::DataLossError(absl::StrCat(
          "a row of ", count, " columns instead of ", columns_.size()));
    }
    rows_.Add(columns_, columns_);
    if (rows_.bytes() < kStatementBytes && rows_.count() < kStatementRows) {
      return absl::OkStatus();
    }
    return Flush();
  }

  // The rows that are stored now.
  absl::StatusOr<int64_t> Finish() {
    if (rows_.count() > 0) RETURN_IF_ERROR(Flush());
    if (without_columns_ > 0) RETURN_IF_ERROR(InsertWithoutColumns());
    return stored_;
  }

 private:
  absl::Status Flush() {
    const PgParam parameter = rows_.Finish();
    const absl::StatusOr<PgResult> inserted = target_.ExecParams(
        sql_,
        {std::string(parameter.data, static_cast<size_t>(parameter.size))});
    RETURN_IF_ERROR(inserted.status());
    stored_ += inserted->affected_rows();
    rows_.Clear();
    return absl::OkStatus();
  }

  // There is nothing to name, and nothing in an array to unpack.
  absl::Status InsertWithoutColumns() {
    ASSIGN_OR_RETURN(
        const PgResult inserted,
        target_.Exec(absl::StrCat("INSERT INTO ", Quote(mapping_.target.name),
                                  " SELECT FROM pg_catalog.generate_series(1, ",
                                  without_columns_, ")")));
    stored_ += inserted.affected_rows();
    return absl::OkStatus();
  }

  PgConnection& target_;
  const TableMapping mapping_;
  const std::string sql_;
  RowArray rows_;
  std::vector<Column> columns_;  // Of the row that is being added.
  std::vector<std::string> unescaped_;
  int64_t without_columns_ = 0;
  int64_t stored_ = 0;
};

absl::StatusOr<Inserter> OpenInserter(PgConnection& target,
                                      const CatalogTable& table) {
  ASSIGN_OR_RETURN(TargetTable found, ReadTargetTable(target, table.name));
  ASSIGN_OR_RETURN(TableMapping mapping,
                   MapTable(RelationOf(table), std::move(found)));
  return Inserter(target, std::move(mapping));
}

// Whole lines: a CopyData is a row.
absl::Status AddLines(absl::string_view lines, Inserter& inserter,
                      CopyCounters& counters) {
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    if (end == absl::string_view::npos) {
      return absl::DataLossError("the source sent a row without its end");
    }
    RETURN_IF_ERROR(inserter.Add(lines.substr(0, end)));
    lines.remove_prefix(end + 1);
    counters.rows.fetch_add(1, std::memory_order_relaxed);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<int64_t> InsertRows(PgConnection& source,
                                   const std::string& copy_out,
                                   PgConnection& target,
                                   const CatalogTable& table,
                                   CopyCounters& counters) {
  absl::StatusOr<Inserter> inserter = OpenInserter(target, table);
  if (!inserter.ok()) return Annotate(inserter.status(), "target");
  absl::StatusOr<PgCopyOut> out =
      PgCopyOut::Start(source, copy_out, absl::InfiniteDuration());
  if (!out.ok()) return Annotate(out.status(), "source");
  while (true) {
    const absl::StatusOr<std::optional<CopyPiece>> piece = out->Next();
    if (!piece.ok()) return Annotate(piece.status(), "source");
    if (!piece->has_value()) break;
    const absl::Status added = AddLines((*piece)->bytes, *inserter, counters);
    if (!added.ok()) return Annotate(added, "target");
    counters.bytes.fetch_add(static_cast<int64_t>((*piece)->bytes.size()),
                             std::memory_order_relaxed);
  }
  const absl::StatusOr<int64_t> stored = inserter->Finish();
  if (!stored.ok()) return Annotate(stored.status(), "target");
  if (*stored == out->rows()) return stored;
  return WithHint(
      absl::DataLossError(absl::StrCat("the source sent ", out->rows(),
                                       " rows, the target stored ", *stored)),
      "look for a trigger on the target that drops rows, and disable it");
}

}  // namespace walferry

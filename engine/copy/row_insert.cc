#include "engine/copy/row_insert.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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
// The protocol counts them in 16 bits.
constexpr size_t kStatementParameters = 65535;

SourceRelation RelationOf(const CatalogTable& table) {
  SourceRelation relation{.id = table.oid, .name = table.name};
  for (const CatalogColumn& column : table.columns) {
    if (column.generated != 0) continue;
    relation.columns.push_back(
        {.name = column.name, .type_oid = column.type_oid});
  }
  return relation;
}

// Statements of the rows that are added one by one.
class RowStatements {
 public:
  virtual ~RowStatements() = default;
  // `columns` has a value, or NULL, for each column of the mapping's source.
  virtual void Add(const std::vector<Column>& columns) = 0;
  virtual size_t rows() const = 0;
  virtual bool full() const = 0;
  // Inserts what was added, and begins anew.
  virtual absl::StatusOr<PgResult> Run(PgConnection& target) = 0;
};

// One parameter: an array of rows.
class ArrayStatements : public RowStatements {
 public:
  explicit ArrayStatements(const TableMapping& mapping)
      : sql_(BuildStatements(mapping, SetShape{.kind = ChangeKind::kInsert})
                 .front()
                 .sql),
        rows_(RowArray::OfRows(mapping, /*binary=*/false)) {}

  void Add(const std::vector<Column>& columns) override {
    rows_.Add(columns, columns);
  }
  size_t rows() const override { return rows_.count(); }
  bool full() const override {
    return rows_.bytes() >= kStatementBytes || rows_.count() >= kStatementRows;
  }
  absl::StatusOr<PgResult> Run(PgConnection& target) override {
    const PgParam parameter = rows_.Finish();
    absl::StatusOr<PgResult> inserted = target.ExecParams(
        sql_,
        {std::string(parameter.data, static_cast<size_t>(parameter.size))});
    rows_.Clear();
    return inserted;
  }

 private:
  const std::string sql_;
  RowArray rows_;
};

// A parameter for each value, whose type the server takes from the column.
class ValueStatements : public RowStatements {
 public:
  explicit ValueStatements(const TableMapping& mapping)
      : filled_(mapping.FilledColumns()) {
    bool identity_always = false;
    std::vector<std::string> names;
    for (const size_t column : filled_) {
      names.push_back(QuoteIdentifier(mapping.TargetOf(column).name));
      identity_always |= mapping.TargetOf(column).identity_always;
    }
    head_ = absl::StrCat("INSERT INTO ", Quote(mapping.target.name), " (",
                         absl::StrJoin(names, ", "), ")",
                         identity_always ? " OVERRIDING SYSTEM VALUE" : "",
                         " VALUES ");
  }

  void Add(const std::vector<Column>& columns) override {
    for (const size_t column : filled_) {
      values_.emplace_back();
      if (!columns[column].has_value()) continue;
      values_.back() = std::string(columns[column].value);
      bytes_ += columns[column].value.size();
    }
    ++rows_;
  }
  size_t rows() const override { return rows_; }
  bool full() const override {
    return bytes_ >= kStatementBytes || rows_ >= kStatementRows ||
           values_.size() + filled_.size() > kStatementParameters;
  }
  absl::StatusOr<PgResult> Run(PgConnection& target) override {
    std::string sql = head_;
    for (size_t value = 0; value < values_.size(); ++value) {
      const size_t place = value % filled_.size();
      absl::StrAppend(&sql,
                      place > 0   ? ","
                      : value > 0 ? ",("
                                  : "(",
                      "$", value + 1, place + 1 == filled_.size() ? ")" : "");
    }
    absl::StatusOr<PgResult> inserted = target.ExecParams(sql, values_);
    values_.clear();
    rows_ = 0;
    bytes_ = 0;
    return inserted;
  }

 private:
  const std::vector<size_t> filled_;
  std::string head_;
  std::vector<std::optional<std::string>> values_;
  size_t rows_ = 0;
  size_t bytes_ = 0;
};

// A row as one value has all columns of the table: one that is not filled would
// be NULL in it, which a domain may refuse.
bool FitsRowType(const TableMapping& mapping) {
  std::vector<bool> filled(mapping.target.columns.size());
  for (const size_t column : mapping.FilledColumns()) {
    filled[mapping.target_columns[column]] = true;
  }
  for (size_t place = 0; place < filled.size(); ++place) {
    const TargetColumn& column = mapping.target.columns[place];
    if (!filled[place] && column.type_oid != column.base_type_oid) return false;
  }
  return true;
}

std::unique_ptr<RowStatements> StatementsFor(const TableMapping& mapping) {
  if (FitsRowType(mapping)) return std::make_unique<ArrayStatements>(mapping);
  return std::make_unique<ValueStatements>(mapping);
}

// Gathers rows and inserts them.
class InsertSink : public RowSink {
 public:
  InsertSink(PgConnection& target, const CatalogTable& table)
      : target_(target), table_(table) {}

  absl::Status Begin() override {
    absl::StatusOr<TargetTable> found = ReadTargetTable(target_, table_.name);
    if (!found.ok()) return Annotate(found.status(), "target");
    const absl::StatusOr<TableMapping> mapping =
        MapTable(RelationOf(table_), *std::move(found));
    if (!mapping.ok()) return Annotate(mapping.status(), "target");
    columns_.resize(mapping->source.columns.size());
    unescaped_.resize(columns_.size());
    if (!columns_.empty()) statements_ = StatementsFor(*mapping);
    return absl::OkStatus();
  }

  // Whole lines: a CopyData is a row.
  absl::Status Write(const CopyPiece& piece) override {
    absl::string_view lines = piece.bytes;
    while (!lines.empty()) {
      const size_t end = lines.find('\n');
      if (end == absl::string_view::npos) {
        return absl::DataLossError("source: it sent a row without its end");
      }
      const absl::Status parsed = Parse(lines.substr(0, end));
      if (!parsed.ok()) return Annotate(parsed, "source");
      RETURN_IF_ERROR(Add());
      lines.remove_prefix(end + 1);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> Finish() override {
    if (statements_ != nullptr && statements_->rows() > 0) {
      RETURN_IF_ERROR(Note(statements_->Run(target_)));
    }
    if (without_columns_ > 0) {
      // There is nothing to name, and nothing in an array to unpack.
      RETURN_IF_ERROR(Note(target_.Exec(
          absl::StrCat("INSERT INTO ", Quote(table_.name),
                       " SELECT FROM pg_catalog.generate_series(1, ",
                       without_columns_, ")"))));
    }
    return stored_;
  }

 private:
  // A line of COPY's text format, without its newline, into `columns_`.
  absl::Status Parse(absl::string_view line) {
    if (columns_.empty()) return absl::OkStatus();
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
    if (count == columns_.size()) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(
        "a row of ", count, " columns instead of ", columns_.size()));
  }

  absl::Status Add() {
    if (statements_ == nullptr) {
      ++without_columns_;
      return absl::OkStatus();
    }
    statements_->Add(columns_);
    if (!statements_->full()) return absl::OkStatus();
    return Note(statements_->Run(target_));
  }

  absl::Status Note(const absl::StatusOr<PgResult>& inserted) {
    if (!inserted.ok()) return Annotate(inserted.status(), "target");
    stored_ += inserted->affected_rows();
    return absl::OkStatus();
  }

  PgConnection& target_;
  const CatalogTable& table_;
  std::unique_ptr<RowStatements> statements_;  // Null without columns.
  std::vector<Column> columns_;  // Of the row that is being added.
  std::vector<std::string> unescaped_;
  int64_t without_columns_ = 0;
  int64_t stored_ = 0;
};

}  // namespace

absl::StatusOr<int64_t> InsertRows(PgConnection& source,
                                   const std::string& copy_out,
                                   PgConnection& target,
                                   const CatalogTable& table,
                                   CopyCounters& counters) {
  InsertSink sink(target, table);
  return PourRows(source, copy_out, sink, counters);
}

}  // namespace walferry

#include "engine/copy/table_copy.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "engine/copy/row_insert.h"
#include "protocol/pg_copy.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// A source may read for long before it finds a row to send. A link that is
// dead is noticed by its keepalives.
constexpr absl::Duration kNoIdleTimeout = absl::InfiniteDuration();

// A table that gets other types again and again is another matter.
constexpr int kRepeats = 3;
constexpr char kTypesChanged[] =
    "target: the types of its columns were changed while rows were copied";

bool TypesWereChanged(const absl::Status& status) {
  return absl::IsAborted(status) && status.message() == kTypesChanged;
}

std::string ColumnList(const CatalogTable& table) {
  return absl::StrJoin(table.StoredColumns(), ", ",
                       [](std::string* out, const std::string& column) {
                         out->append(QuoteIdentifier(column));
                       });
}

// `"s"."t" ("a", "b")`. The grammar has no empty list; without any list the
// server takes all columns that are not generated, which is none then.
std::string TableWithColumns(const CatalogTable& table) {
  const std::string columns = ColumnList(table);
  if (columns.empty()) return Quote(table.name);
  return absl::StrCat(Quote(table.name), " (", columns, ")");
}

std::string ItemName(const CatalogTable& table, const CopyItem& item) {
  const std::string name = absl::StrCat("table ", ToDisplay(table.name));
  if (item.whole()) return name;
  if (item.range.end_block < 0) {
    return absl::StrCat(name, ", from block ", item.range.first_block);
  }
  return absl::StrCat(name, ", blocks ", item.range.first_block, " to ",
                      item.range.end_block - 1);
}

// One thread writes a counter.
void Add(std::atomic<int64_t>& counter, int64_t value) {
  counter.store(counter.load(std::memory_order_relaxed) + value,
                std::memory_order_relaxed);
}

class CopySink : public RowSink {
 public:
  CopySink(PgConnection& target, const std::string& copy_in)
      : target_(target), copy_in_(copy_in) {}

  absl::Status Begin() override {
    absl::StatusOr<PgCopyIn> in =
        PgCopyIn::Start(target_, copy_in_, kNoIdleTimeout);
    if (!in.ok()) return Annotate(in.status(), "target");
    in_.emplace(*std::move(in));
    return absl::OkStatus();
  }
  absl::Status Write(const CopyPiece& piece) override {
    const absl::Status written = in_->Write(piece.bytes);
    return written.ok() ? written : Annotate(written, "target");
  }
  absl::StatusOr<int64_t> Finish() override {
    const absl::StatusOr<int64_t> stored = in_->Finish();
    if (!stored.ok()) return Annotate(stored.status(), "target");
    return stored;
  }

 private:
  PgConnection& target_;
  const std::string& copy_in_;
  std::optional<PgCopyIn> in_;
};

absl::Status ExplainLockTimeout(const absl::Status& failure) {
  if (SqlStateOf(failure) != "55P03") return failure;
  return WithHint(failure,
                  "a statement that changes the table's form (ALTER TABLE, "
                  "TRUNCATE, VACUUM FULL ...) waits on the source for the copy "
                  "to end, and new readers wait behind it: cancel it, or let "
                  "the copy go on after it");
}

}  // namespace

std::string CopyOutSql(const CatalogTable& table, const LedgerRange& range,
                       CopyFormat format) {
  const std::string where = table.config_condition.empty()
                                ? absl::StrCat("WHERE ", RangeCondition(range))
                                : table.config_condition;
  const bool whole = range.first_block == 0 && range.end_block < 0;
  const std::string rows =
      whole && table.config_condition.empty()
          ? TableWithColumns(table)
          : absl::StrCat("(SELECT ", ColumnList(table), " FROM ONLY ",
                         Quote(table.name), " ", where, ")");
  return absl::StrCat("COPY ", rows, " TO STDOUT",
                      format == CopyFormat::kBinary ? " (FORMAT binary)" : "");
}

std::string RangeCondition(const LedgerRange& range) {
  return absl::StrCat(
      "ctid >= '(", range.first_block, ",0)'",
      range.end_block < 0
          ? ""
          : absl::StrCat(" AND ctid < '(", range.end_block, ",0)'"));
}

std::string CopyInSql(const CatalogTable& table, CopyFreeze freeze,
                      CopyFormat format) {
  std::vector<absl::string_view> options;
  if (freeze == CopyFreeze::kYes) options.push_back("FREEZE");
  if (format == CopyFormat::kBinary) options.push_back("FORMAT binary");
  return absl::StrCat(
      "COPY ", TableWithColumns(table), " FROM STDIN",
      options.empty()
          ? ""
          : absl::StrCat(" WITH (", absl::StrJoin(options, ", "), ")"));
}

absl::StatusOr<int64_t> PourRows(PgConnection& source,
                                 const std::string& copy_out, RowSink& sink,
                                 CopyCounters& counters) {
  absl::StatusOr<PgCopyOut> out =
      PgCopyOut::Start(source, copy_out, kNoIdleTimeout);
  if (!out.ok()) {
    return Annotate(ExplainLockTimeout(out.status()), "source");
  }
  RETURN_IF_ERROR(sink.Begin());
  bool begun = false;
  while (true) {
    absl::StatusOr<std::optional<CopyPiece>> piece = out->Next();
    if (!piece.ok()) return Annotate(piece.status(), "source");
    if (!piece->has_value()) break;
    RETURN_IF_ERROR(sink.Write(**piece));
    const bool with_header = out->binary() && !std::exchange(begun, true);
    // All but the trailer of a binary format.
    Add(counters.rows, (*piece)->messages - (with_header ? 1 : 0));
    Add(counters.bytes, static_cast<int64_t>((*piece)->bytes.size()));
  }
  ASSIGN_OR_RETURN(const int64_t stored, sink.Finish());
  if (stored == out->rows()) return stored;
  return WithHint(
      absl::DataLossError(absl::StrCat("the source sent ", out->rows(),
                                       " rows, the target stored ", stored)),
      "look for a trigger on the target that drops rows, and disable it");
}

absl::StatusOr<int64_t> PipeRows(PgConnection& source,
                                 const std::string& copy_out,
                                 PgConnection& target,
                                 const std::string& copy_in,
                                 CopyCounters& counters) {
  CopySink sink(target, copy_in);
  return PourRows(source, copy_out, sink, counters);
}

TableCopier::TableCopier(PgConnection source, PgConnection target,
                         SourceSnapshot* snapshot, LedgerSql sql,
                         const TableCopyOptions& options)
    : source_(std::move(source)),
      target_(std::move(target)),
      snapshot_(snapshot),
      sql_(std::move(sql)),
      options_(options) {}

absl::StatusOr<TableCopier> TableCopier::Open(const CopySessionOptions& session,
                                              SourceSnapshot& snapshot,
                                              const TableCopyOptions& options) {
  ASSIGN_OR_RETURN(PgConnection source, OpenCopySource(session));
  RETURN_IF_ERROR(snapshot.Import(source));
  ASSIGN_OR_RETURN(PgConnection target,
                   OpenCopyTarget(session, snapshot.encoding()));
  return TableCopier(std::move(source), std::move(target), &snapshot,
                     LedgerSql({.schema = session.endpoints.ledger_schema,
                                .migration = session.endpoints.name}),
                     options);
}

absl::Status TableCopier::Lock(const CatalogTable& table) {
  const absl::Status locked =
      source_
          .Exec(absl::StrCat("LOCK TABLE ONLY ", Quote(table.name),
                             " IN ACCESS SHARE MODE"))
          .status();
  if (locked.ok()) return locked;
  return Annotate(ExplainLockTimeout(locked),
                  absl::StrCat("table ", ToDisplay(table.name), ": source"));
}

absl::StatusOr<int64_t> TableCopier::Copy(const CatalogTable& table,
                                          const CopyItem& item,
                                          OpenItems& open_items,
                                          CopyCounters& counters) {
  const int64_t bytes_before = counters.bytes.load(std::memory_order_relaxed);
  const int64_t rows_before = counters.rows.load(std::memory_order_relaxed);
  absl::StatusOr<int64_t> rows = CopyRows(table, item, counters);
  for (int repeat = 0; repeat < kRepeats && TypesWereChanged(rows.status());
       ++repeat) {
    RETURN_IF_ERROR(target_.Exec("ROLLBACK").status());
    counters.bytes.store(bytes_before, std::memory_order_relaxed);
    counters.rows.store(rows_before, std::memory_order_relaxed);
    rows = CopyRows(table, item, counters);
  }
  if (!rows.ok()) return Annotate(rows.status(), ItemName(table, item));
  RETURN_IF_ERROR(snapshot_->Check());
  const absl::Status committed =
      Commit(table, item, *rows,
             counters.bytes.load(std::memory_order_relaxed) - bytes_before,
             open_items);
  if (!committed.ok()) {
    return Annotate(committed, absl::StrCat(ItemName(table, item), ": target"));
  }
  return rows;
}

absl::StatusOr<int64_t> TableCopier::CopyRows(const CatalogTable& table,
                                              const CopyItem& item,
                                              CopyCounters& counters) {
  if (options_.inserts) {
    RETURN_IF_ERROR(Annotate(target_.Exec("BEGIN").status(), "target"));
    return InsertRows(source_, CopyOutSql(table, item.range), target_, table,
                      counters);
  }
  CopyFreeze freeze = CopyFreeze::kNo;
  // Rows that CREATE EXTENSION has brought stay.
  if (item.whole() && table.config_condition.empty() &&
      !options_.found_tables) {
    absl::StatusOr<CopyFreeze> truncated = TruncateIfAllowed(table);
    if (!truncated.ok()) return Annotate(truncated.status(), "target");
    freeze = *truncated;
  } else if (absl::Status begun = target_.Exec("BEGIN").status(); !begun.ok()) {
    return Annotate(begun, "target");
  }
  ASSIGN_OR_RETURN(const CopyFormat format, FormatOf(table, item));
  const absl::StatusOr<int64_t> rows =
      PipeRows(source_, CopyOutSql(table, item.range, format), target_,
               CopyInSql(table, freeze, format), counters);
  // TRUNCATE has locked the table since before the types were read.
  if (!rows.ok() || format == CopyFormat::kText || freeze == CopyFreeze::kYes) {
    return rows;
  }
  // COPY has locked it by now. Bytes that were read as another type must not
  // stay, even if it took them.
  ASSIGN_OR_RETURN(const CopyFormat exact, FormatOf(table, item));
  if (exact == CopyFormat::kBinary) return rows;
  return absl::AbortedError(kTypesChanged);
}

// Asking takes a round trip, which small ones are not worth.
absl::StatusOr<CopyFormat> TableCopier::FormatOf(const CatalogTable& table,
                                                 const CopyItem& item) {
  if (item.bytes < options_.min_binary_bytes) return CopyFormat::kText;
  const absl::StatusOr<CopyFormat> format = FormatFor(table, source_, target_);
  if (!format.ok()) return Annotate(format.status(), "target");
  return format;
}

// Begins the transaction. Rows are stored frozen only in a table that the same
// transaction has emptied.
absl::StatusOr<CopyFreeze> TableCopier::TruncateIfAllowed(
    const CatalogTable& table) {
  const absl::Status truncated =
      target_
          .Exec(absl::StrCat("BEGIN; SAVEPOINT walferry; TRUNCATE ONLY ",
                             Quote(table.name), "; RELEASE SAVEPOINT walferry"))
          .status();
  if (truncated.ok()) return CopyFreeze::kYes;
  const std::string sqlstate = SqlStateOf(truncated);
  constexpr absl::string_view kNotAllowed = "42501";
  constexpr absl::string_view kReferencedOrPartitioned = "0A000";
  constexpr absl::string_view kNotATable = "42809";
  if (sqlstate != kNotAllowed && sqlstate != kReferencedOrPartitioned &&
      sqlstate != kNotATable) {
    return truncated;
  }
  RETURN_IF_ERROR(target_.Exec("ROLLBACK TO SAVEPOINT walferry").status());
  return CopyFreeze::kNo;
}

absl::Status TableCopier::Commit(const CatalogTable& table,
                                 const CopyItem& item, int64_t rows,
                                 int64_t bytes, OpenItems& open_items) {
  absl::MutexLock lock(&open_items.mutex);
  std::string sql = sql_.RangeDone(table.name, item.range, rows, bytes);
  if (open_items.left == 1) {
    absl::StrAppend(&sql, ";", sql_.TableCopied(table.name));
  }
  ASSIGN_OR_RETURN(const PgResult noted, target_.Exec(sql));
  if (noted.affected_rows() != 1) {
    return absl::InternalError("the ledger does not have the table");
  }
  ASSIGN_OR_RETURN(const PgResult committed, target_.Exec("COMMIT"));
  if (committed.command_tag() != "COMMIT") {
    return absl::InternalError(
        absl::StrCat("COMMIT was answered by ", committed.command_tag()));
  }
  --open_items.left;
  return absl::OkStatus();
}

}  // namespace walferry

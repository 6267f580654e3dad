#include "engine/copy/touched_keys.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "protocol/copy_text.h"
#include "protocol/pg_copy.h"
#include "protocol/quoting.h"
#include "protocol/replication_frame.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// What may wait in memory, all tables together.
constexpr size_t kMemory = size_t{8} << 20;

// How often the server hears from us; also asks a quiet one where it is.
constexpr absl::Duration kStatusInterval = absl::Seconds(1);

std::string KeyColumns(const CatalogTable& table) {
  return absl::StrJoin(table.key, ", ",
                       [](std::string* out, const std::string& column) {
                         out->append(QuoteIdentifier(column));
                       });
}

// Of the messages that protocol version 1 has, those that leave rows alone.
bool TouchesNothing(const Message& message) {
  return std::holds_alternative<Commit>(message) ||
         std::holds_alternative<Origin>(message) ||
         std::holds_alternative<Type>(message) ||
         std::holds_alternative<Insert>(message) ||
         std::holds_alternative<LogicalMessage>(message);
}

}  // namespace

std::string TouchedKeys::TempTable(size_t table) {
  return absl::StrCat("pg_temp.walferry_keys_", table);
}

absl::StatusOr<size_t> TouchedKeys::Add(const CatalogTable& table, Lsn from) {
  const size_t index = tables_.size();
  RETURN_IF_ERROR(
      target_
          .Exec(absl::StrCat("CREATE TEMP TABLE walferry_keys_", index,
                             " AS SELECT ", KeyColumns(table), " FROM ONLY ",
                             Quote(table.name), " WITH NO DATA"))
          .status());
  Table entry;
  entry.table = &table;
  entry.from = from;
  tables_.push_back(std::move(entry));
  by_relation_[table.oid] = index;
  return index;
}

absl::Status TouchedKeys::Read(ReplicationStream& stream, Lsn until,
                               absl::FunctionRef<void(Lsn)> on_progress) {
  absl::Time next_status = absl::Now();
  while (true) {
    if (absl::Now() >= next_status) {
      RETURN_IF_ERROR(stream.Send({.reply_requested = true}));
      next_status = absl::Now() + kStatusInterval;
    }
    ASSIGN_OR_RETURN(const std::optional<absl::string_view> bytes,
                     stream.Next(next_status));
    if (!bytes.has_value()) continue;
    ASSIGN_OR_RETURN(const Frame frame, DecodeFrame(*bytes));
    if (const Keepalive* keepalive = std::get_if<Keepalive>(&frame)) {
      on_progress(keepalive->wal_end);
      if (keepalive->wal_end >= until) return absl::OkStatus();
      continue;
    }
    const XLogData& data = std::get<XLogData>(frame);
    ASSIGN_OR_RETURN(const bool past, Take(data.payload, until));
    if (past) return absl::OkStatus();
    on_progress(commit_lsn_);
    if (bytes_ > kMemory) RETURN_IF_ERROR(Flush());
  }
}

// True for the first transaction that is beyond `until`.
absl::StatusOr<bool> TouchedKeys::Take(absl::string_view payload, Lsn until) {
  ASSIGN_OR_RETURN(const Message message, DecodeMessage(payload));
  if (const auto* begin = std::get_if<Begin>(&message)) {
    commit_lsn_ = begin->final_lsn;
    return commit_lsn_ >= until;
  }
  if (const auto* relation = std::get_if<Relation>(&message)) {
    Describe(*relation);
  } else if (const auto* update = std::get_if<Update>(&message)) {
    Touch(update->relation_id,
          update->old_kind == OldRow::kNone ? update->row : update->old_row);
  } else if (const auto* deletion = std::get_if<Delete>(&message)) {
    Touch(deletion->relation_id, deletion->old_row);
  } else if (const auto* truncate = std::get_if<walferry::Truncate>(&message)) {
    Truncated(truncate->relation_ids);
  } else if (!TouchesNothing(message)) {
    return absl::DataLossError(absl::StrCat(
        MessageName(payload[0]), ": not a message of protocol version 1"));
  }
  return false;
}

// The table, if the transaction that is being read is of interest to it.
TouchedKeys::Table* TouchedKeys::Wanted(uint32_t relation_id) {
  const auto found = by_relation_.find(relation_id);
  if (found == by_relation_.end()) return nullptr;
  Table& table = tables_[found->second];
  return commit_lsn_ >= table.from && table.trouble.empty() ? &table : nullptr;
}

void TouchedKeys::Describe(const Relation& relation) {
  const auto found = by_relation_.find(relation.relation_id);
  if (found == by_relation_.end()) return;
  Table& table = tables_[found->second];
  std::vector<std::string> names;
  size_t keys = 0;
  for (RelationColumns::Walker walk(relation.columns); !walk.done();) {
    const RelationColumn column = walk.Next();
    // One that is not of the key gets no name and is not found below.
    names.emplace_back(column.key ? column.name : "");
    if (column.key) ++keys;
  }
  table.key_positions.clear();
  // FULL sends every column as key: another identity than the catalog's.
  if (keys != table.table->key.size()) return;
  for (const std::string& column : table.table->key) {
    const auto at = std::find(names.begin(), names.end(), column);
    if (at == names.end()) return table.key_positions.clear();
    table.key_positions.push_back(static_cast<size_t>(at - names.begin()));
  }
}

void TouchedKeys::Touch(uint32_t relation_id, const TupleView& row) {
  Table* const table = Wanted(relation_id);
  if (table == nullptr) return;
  if (table->key_positions.empty()) {
    table->trouble = "its replica identity changed";
    return;
  }
  std::optional<std::string> line = KeyLine(*table, row);
  if (!line.has_value()) {
    table->trouble = "a change came without its key";
    return;
  }
  const size_t size = line->size();
  if (table->lines.insert(*std::move(line)).second) bytes_ += size;
}

void TouchedKeys::Truncated(const RelationIds& ids) {
  for (uint32_t i = 0; i < ids.size(); ++i) {
    if (Table* const table = Wanted(ids[i]))
      table->trouble = "it was truncated";
  }
}

std::optional<std::string> TouchedKeys::KeyLine(const Table& table,
                                                const TupleView& row) {
  std::vector<Column> columns;
  for (TupleView::Walker walk(row); !walk.done();) {
    columns.push_back(walk.Next());
  }
  std::string line;
  for (const size_t position : table.key_positions) {
    if (position >= columns.size() ||
        columns[position].kind != ColumnKind::kText) {
      return std::nullopt;
    }
    AppendCopyText(columns[position].value, &line);
    line += '\t';
  }
  line.back() = '\n';
  return line;
}

absl::Status TouchedKeys::Flush() {
  for (size_t index = 0; index < tables_.size(); ++index) {
    Table& table = tables_[index];
    if (table.lines.empty()) continue;
    ASSIGN_OR_RETURN(
        PgCopyIn copy,
        PgCopyIn::Start(target_,
                        absl::StrCat("COPY ", TempTable(index), " FROM STDIN"),
                        absl::InfiniteDuration()));
    for (const std::string& line : table.lines) {
      RETURN_IF_ERROR(copy.Write(line));
    }
    ASSIGN_OR_RETURN(const int64_t stored, copy.Finish());
    table.count += stored;
    table.lines.clear();
  }
  bytes_ = 0;
  return absl::OkStatus();
}

}  // namespace walferry

#include "apply/conflict_facts.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "protocol/pg_time.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr size_t kMaxValueBytes = 200;
constexpr size_t kMaxColumnsWithoutKey = 4;

// OIDs of types whose binary form a person should not have to read
// (pg_type.dat).
constexpr uint32_t kInt8 = 20, kInt2 = 21, kInt4 = 23, kOid = 26;
constexpr uint32_t kText = 25, kBpchar = 1042, kVarchar = 1043;

int64_t BigEndian(absl::string_view bytes) {
  // Starts with the sign.
  int64_t value = static_cast<signed char>(bytes[0]) < 0 ? -1 : 0;
  for (const char byte : bytes) {
    value = value * 256 + static_cast<unsigned char>(byte);
  }
  return value;
}

std::string BinaryToDisplay(uint32_t type, absl::string_view bytes) {
  switch (type) {
    case kInt2:
    case kInt4:
    case kInt8:
      if (!bytes.empty() && bytes.size() <= 8) {
        return absl::StrCat(BigEndian(bytes));
      }
      break;
    case kOid:
      if (bytes.size() == 4) {
        return absl::StrCat(static_cast<uint32_t>(BigEndian(bytes)));
      }
      break;
    case kText:
    case kBpchar:
    case kVarchar:
      return std::string(bytes);
    default:
      break;
  }
  return absl::StrCat("0x", absl::BytesToHexString(bytes));
}

std::string Cut(std::string text) {
  if (text.size() <= kMaxValueBytes) return text;
  size_t size = kMaxValueBytes;
  // Not inside a UTF-8 character.
  while (size > 0 && (text[size] & 0xc0) == 0x80) --size;
  return text.substr(0, size) + "...";
}

std::string ValueToDisplay(const SourceColumn& column, const Column& value) {
  switch (value.kind) {
    case ColumnKind::kNull:
      return "NULL";
    case ColumnKind::kUnchanged:
      return "(not sent)";
    case ColumnKind::kText:
      return Cut(std::string(value.value));
    case ColumnKind::kBinary:
      return Cut(BinaryToDisplay(column.type_oid, value.value));
  }
  return "";
}

bool HasKey(const SourceRelation& relation) {
  return relation.identity != ReplicaIdentity::kFull &&
         std::any_of(relation.columns.begin(), relation.columns.end(),
                     [](const SourceColumn& column) { return column.key; });
}

const BatchTransaction* TransactionOf(const ChangeBatch& batch,
                                      size_t change_index) {
  for (const BatchTransaction& transaction : batch.transactions()) {
    if (change_index < transaction.first_change + transaction.change_count) {
      return &transaction;
    }
  }
  return nullptr;
}

std::vector<const SourceRelation*> RelationsOf(const Change& change) {
  if (change.kind != ChangeKind::kTruncate) return {change.relation};
  return {change.truncated.begin(), change.truncated.end()};
}

std::string TypeOf(ChangeKind kind, absl::string_view sqlstate) {
  if (sqlstate == "23505") {
    if (kind == ChangeKind::kInsert) return "insert_exists";
    if (kind == ChangeKind::kUpdate) return "update_exists";
  }
  return "error";
}

}  // namespace

std::string DescribeKey(const Change& change) {
  if (change.relation == nullptr) return "";
  const absl::Span<const Column> row =
      change.kind == ChangeKind::kDelete || change.old_kind != OldRow::kNone
          ? change.old_row
          : change.row;
  const std::vector<SourceColumn>& columns = change.relation->columns;
  const bool has_key = HasKey(*change.relation);
  std::vector<std::string> parts;
  for (size_t column = 0; column < std::min(row.size(), columns.size());
       ++column) {
    if (has_key && !columns[column].key) continue;
    if (!has_key && parts.size() == kMaxColumnsWithoutKey) break;
    parts.push_back(absl::StrCat(columns[column].name, "=",
                                 ValueToDisplay(columns[column], row[column])));
  }
  return absl::StrJoin(parts, ", ");
}

std::string DescribeChange(const ChangeBatch& batch, size_t change_index) {
  const Change& change = batch.changes()[change_index];
  std::string text = absl::StrCat(
      ChangeKindName(change.kind), " of ",
      absl::StrJoin(RelationsOf(change), ", ",
                    [](std::string* out, const SourceRelation* relation) {
                      absl::StrAppend(out, ToDisplay(relation->name));
                    }));
  const std::string key = DescribeKey(change);
  if (!key.empty()) absl::StrAppend(&text, " (", key, ")");
  const BatchTransaction* transaction = TransactionOf(batch, change_index);
  if (transaction == nullptr) return text;
  absl::StrAppend(&text, ", transaction ", transaction->xid, ", committed ",
                  absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ",
                                   FromPgTime(transaction->commit_time),
                                   absl::UTCTimeZone()));
  if (transaction->complete) {
    absl::StrAppend(&text, ", ending at ", transaction->end_lsn.ToString());
  }
  return text;
}

Conflict ConflictOf(const ChangeBatch& batch, size_t change_index,
                    const absl::Status& error, absl::string_view type) {
  const Change& change = batch.changes()[change_index];
  Conflict conflict;
  const std::vector<const SourceRelation*> relations = RelationsOf(change);
  if (!relations.empty()) conflict.relation = relations.front()->name;
  conflict.kind = change.kind;
  conflict.key = DescribeKey(change);
  if (const BatchTransaction* transaction = TransactionOf(batch, change_index);
      transaction != nullptr) {
    conflict.xid = transaction->xid;
    conflict.commit_lsn = transaction->commit_lsn;
    conflict.end_lsn = transaction->end_lsn;
    conflict.commit_time = FromPgTime(transaction->commit_time);
  }
  conflict.sqlstate = SqlStateOf(error);
  conflict.type =
      type.empty() ? TypeOf(change.kind, conflict.sqlstate) : std::string(type);
  conflict.message = std::string(error.message());
  return conflict;
}

}  // namespace walferry

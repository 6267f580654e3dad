#include "engine/stream/binary_stream.h"

#include <memory>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "apply/portable_types.h"
#include "apply/text_needed.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// pgoutput knows the option from there on, and column lists.
constexpr int kVersion14 = 140000;
constexpr int kVersion15 = 150000;
// Generated columns may be published.
constexpr int kVersion18 = 180000;

struct PublishedColumn {
  QualifiedName table;
  std::string name;
  uint32_t type_oid = 0;
};

absl::StatusOr<std::vector<PublishedColumn>> ReadPublishedColumns(
    PgConnection& source, const std::vector<std::string>& publications) {
  const int version = source.server_version();
  ASSIGN_OR_RETURN(
      const PgResult result,
      source.Exec(absl::StrCat(
          "SELECT DISTINCT t.schemaname, t.tablename, a.attname, a.atttypid "
          "FROM pg_catalog.pg_publication_tables t "
          "JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname "
          "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname "
          "= t.tablename "
          "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "
          "WHERE a.attnum > 0 AND NOT a.attisdropped AND t.pubname = ANY (",
          QuoteTextArray(publications), ")",
          version < kVersion18 ? " AND a.attgenerated = ''" : "",
          version >= kVersion15 ? " AND a.attname = ANY (t.attnames)" : "")));
  std::vector<PublishedColumn> columns;
  for (int row = 0; row < result.rows(); ++row) {
    ASSIGN_OR_RETURN(const int64_t type, result.Int64(row, 3));
    columns.push_back({.table = {std::string(result.Text(row, 0)),
                                 std::string(result.Text(row, 1))},
                       .name = std::string(result.Text(row, 2)),
                       .type_oid = static_cast<uint32_t>(type)});
  }
  return columns;
}

// Of all tables in the schemas.
absl::StatusOr<TargetTypes> ReadTargetTypes(
    PgConnection& target, const std::vector<std::string>& schemas) {
  ASSIGN_OR_RETURN(const PgResult result,
                   target.Exec(absl::StrCat(
                       "SELECT n.nspname, c.relname, a.attname, a.atttypid "
                       "FROM pg_catalog.pg_namespace n "
                       "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid "
                       "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "
                       "WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT "
                       "a.attisdropped AND n.nspname = ANY (",
                       QuoteTextArray(schemas), ")")));
  TargetTypes types;
  for (int row = 0; row < result.rows(); ++row) {
    ASSIGN_OR_RETURN(const int64_t type, result.Int64(row, 3));
    types[{std::string(result.Text(row, 0)), std::string(result.Text(row, 1))}]
         [std::string(result.Text(row, 2))] = static_cast<uint32_t>(type);
  }
  return types;
}

// Null: the target does not have it.
const uint32_t* Find(const TargetTypes& types, const QualifiedName& table,
                     const std::string& column) {
  const auto found = types.find(table);
  if (found == types.end()) return nullptr;
  const auto type = found->second.find(column);
  return type == found->second.end() ? nullptr : &type->second;
}

absl::Status CheckTypes(const TargetTypes& types,
                        const SourceRelation& relation) {
  for (const SourceColumn& column : relation.columns) {
    const uint32_t* const target = Find(types, relation.name, column.name);
    if (IsPortableType(column.type_oid) &&
        (target == nullptr || *target == column.type_oid)) {
      continue;
    }
    return TextNeededError(
        absl::StrCat("column ", QuoteIdentifier(column.name), " of ",
                     ToDisplay(relation.name),
                     " came with a type whose binary form the target does not "
                     "take for its own"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<TargetTypes>> ReadTypesForBinary(
    PgConnection& source, PgConnection& target,
    const std::vector<std::string>& publications) {
  if (source.server_version() < kVersion14) return std::nullopt;
  ASSIGN_OR_RETURN(const std::vector<PublishedColumn> columns,
                   ReadPublishedColumns(source, publications));
  absl::btree_set<std::string> schemas;
  for (const PublishedColumn& column : columns) {
    schemas.insert(column.table.schema);
  }
  ASSIGN_OR_RETURN(TargetTypes types,
                   ReadTargetTypes(target, {schemas.begin(), schemas.end()}));
  for (const PublishedColumn& column : columns) {
    // Also what the target does not have is sent, and an array whose elements
    // have no binary form would end the walsender.
    if (!IsPortableType(column.type_oid)) return std::nullopt;
    const uint32_t* const type = Find(types, column.table, column.name);
    if (type != nullptr && *type != column.type_oid) return std::nullopt;
  }
  return types;
}

RelationGate GateOfBinary(RelationGate gate, TargetTypes types) {
  const auto kept = std::make_shared<const TargetTypes>(std::move(types));
  return [gate = std::move(gate), kept](
             const SourceRelation& relation) -> absl::StatusOr<RelationPolicy> {
    ASSIGN_OR_RETURN(const RelationPolicy policy, gate(relation));
    if (policy.apply) RETURN_IF_ERROR(CheckTypes(*kept, relation));
    return policy;
  };
}

Notice TurnedToText(const absl::Status& status) {
  return {.level = Notice::Level::kInfo,
          .text = absl::StrCat("going on with a stream of text: ",
                               status.message())};
}

}  // namespace walferry

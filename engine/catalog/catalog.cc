#include "engine/catalog/catalog.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/catalog/catalog_sql.h"
#include "protocol/status.h"

namespace walferry {
namespace {

absl::StatusOr<uint32_t> Oid(const PgResult& rows, int row, int column) {
  ASSIGN_OR_RETURN(const int64_t oid, rows.Int64(row, column));
  return static_cast<uint32_t>(oid);
}

// The one character of a "char" column; 0 if it is empty.
char Char(const PgResult& rows, int row, int column) {
  const absl::string_view text = rows.Text(row, column);
  return text.empty() ? '\0' : text.front();
}

// One row of CatalogRelationsSql().
struct RelationRow {
  uint32_t oid = 0;
  QualifiedName name;
  char kind = 0;
  char persistence = 0;
  bool is_partition = false;
  char identity = 0;
  bool populated = false;
  uint32_t relfilenode = 0;
  int64_t rows_estimate = 0;
  bool of_extension = false;
  bool is_config = false;
  std::string config_condition;
  std::vector<QualifiedName> ancestors;
  bool included = false;
};

class CatalogReader {
 public:
  CatalogReader(PgConnection& connection, const Scope& scope,
                CatalogSizes sizes)
      : connection_(connection),
        version_(connection.server_version()),
        scope_(scope),
        sizes_(sizes) {}

  absl::StatusOr<Catalog> Read();

 private:
  using Oids = absl::flat_hash_map<uint32_t, std::vector<uint32_t>>;

  absl::Status ReadRelations();
  absl::Status ReadAncestors();
  absl::Status ReadSchemas();
  absl::Status ReadKeys();
  absl::Status ReadColumns();
  absl::Status ReadSizes();
  absl::Status ReadSequences();
  absl::Status ReadMaterializedViews();
  absl::Status ReadWhatIsDelayed();

  void DecideScope();
  void AddTable(const RelationRow& relation);
  void NoteDelayed(const RelationRow& relation);
  void AddAfterWhatItReads(uint32_t view, const Oids& reads);
  CatalogTable* FindTable(uint32_t oid);

  PgConnection& connection_;
  const int version_;
  const Scope& scope_;
  const CatalogSizes sizes_;
  Catalog catalog_;
  std::vector<RelationRow> relations_;
  absl::flat_hash_map<uint32_t, size_t> relation_by_oid_;
  absl::flat_hash_map<uint32_t, size_t> table_by_oid_;
  absl::flat_hash_map<uint32_t, uint32_t> parents_;  // Of partitions.
  absl::flat_hash_set<uint32_t> visited_views_;
};

absl::StatusOr<Catalog> CatalogReader::Read() {
  RETURN_IF_ERROR(ReadRelations());
  RETURN_IF_ERROR(ReadAncestors());
  DecideScope();
  RETURN_IF_ERROR(ReadSchemas());
  RETURN_IF_ERROR(ReadKeys());
  RETURN_IF_ERROR(ReadColumns());
  if (sizes_ == CatalogSizes::kYes) RETURN_IF_ERROR(ReadSizes());
  RETURN_IF_ERROR(ReadSequences());
  RETURN_IF_ERROR(ReadMaterializedViews());
  if (!catalog_.delayed.empty()) RETURN_IF_ERROR(ReadWhatIsDelayed());
  return std::move(catalog_);
}

absl::Status CatalogReader::ReadRelations() {
  ASSIGN_OR_RETURN(const PgResult rows,
                   connection_.Exec(CatalogRelationsSql()));
  relations_.reserve(static_cast<size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) {
    RelationRow relation;
    ASSIGN_OR_RETURN(relation.oid, Oid(rows, row, 0));
    relation.name = {std::string(rows.Text(row, 1)),
                     std::string(rows.Text(row, 2))};
    relation.kind = Char(rows, row, 3);
    relation.persistence = Char(rows, row, 4);
    relation.is_partition = rows.Bool(row, 5);
    relation.identity = Char(rows, row, 6);
    relation.populated = rows.Bool(row, 7);
    ASSIGN_OR_RETURN(relation.relfilenode, Oid(rows, row, 8));
    ASSIGN_OR_RETURN(relation.rows_estimate, rows.Int64(row, 9));
    relation.of_extension = rows.Bool(row, 10);
    relation.is_config = rows.Bool(row, 11);
    relation.config_condition = std::string(rows.Text(row, 12));
    relations_.push_back(std::move(relation));
  }
  // Here and not in SQL: the client's encoding may order names otherwise.
  std::sort(relations_.begin(), relations_.end(),
            [](const RelationRow& a, const RelationRow& b) {
              return a.name < b.name;
            });
  for (size_t place = 0; place < relations_.size(); ++place) {
    relation_by_oid_[relations_[place].oid] = place;
  }
  return absl::OkStatus();
}

absl::Status CatalogReader::ReadAncestors() {
  ASSIGN_OR_RETURN(const PgResult rows,
                   connection_.Exec(CatalogPartitionParentsSql()));
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(const uint32_t child, Oid(rows, row, 0));
    ASSIGN_OR_RETURN(parents_[child], Oid(rows, row, 1));
  }
  for (RelationRow& relation : relations_) {
    for (auto parent = parents_.find(relation.oid); parent != parents_.end();
         parent = parents_.find(parent->second)) {
      const auto ancestor = relation_by_oid_.find(parent->second);
      if (ancestor == relation_by_oid_.end()) break;
      relation.ancestors.push_back(relations_[ancestor->second].name);
    }
  }
  return absl::OkStatus();
}

void CatalogReader::DecideScope() {
  for (RelationRow& relation : relations_) {
    if (relation.kind == 'S') continue;  // By their owners, once these are.
    if (relation.of_extension && !relation.is_config) continue;
    relation.included = scope_.IncludesTable(relation.name, relation.ancestors);
    if (!relation.included) {
      catalog_.excluded_tables.push_back(relation.name);
    } else if (relation.kind == 'r') {
      AddTable(relation);
    } else if (relation.kind == 'p') {
      catalog_.partitioned.push_back(relation.name);
    }
    if (relation.included) NoteDelayed(relation);
  }
}

void CatalogReader::NoteDelayed(const RelationRow& relation) {
  if (relation.kind != 'r' && relation.kind != 'p') return;
  if (!scope_.DelaysData(relation.name, relation.ancestors)) return;
  catalog_.delayed.whole.insert(relation.oid);
  for (auto parent = parents_.find(relation.oid); parent != parents_.end();
       parent = parents_.find(parent->second)) {
    catalog_.delayed.in_part.insert(parent->second);
  }
}

void CatalogReader::AddTable(const RelationRow& relation) {
  CatalogTable table;
  table.oid = relation.oid;
  table.name = relation.name;
  table.unlogged = relation.persistence == 'u';
  table.is_partition = relation.is_partition;
  table.identity = static_cast<ReplicaIdentity>(relation.identity);
  table.has_usable_identity = table.identity == ReplicaIdentity::kFull;
  table.rows_estimate = static_cast<double>(relation.rows_estimate);
  table.relfilenode = relation.relfilenode;
  table.copy_data = scope_.IncludesData(relation.name, relation.ancestors);
  table.delayed = scope_.DelaysData(relation.name, relation.ancestors);
  table.config_condition = relation.config_condition;
  table_by_oid_[table.oid] = catalog_.tables.size();
  catalog_.tables.push_back(std::move(table));
}

CatalogTable* CatalogReader::FindTable(uint32_t oid) {
  const auto table = table_by_oid_.find(oid);
  return table == table_by_oid_.end() ? nullptr
                                      : &catalog_.tables[table->second];
}

absl::Status CatalogReader::ReadSchemas() {
  ASSIGN_OR_RETURN(const PgResult rows, connection_.Exec(CatalogSchemasSql()));
  for (int row = 0; row < rows.rows(); ++row) {
    if (scope_.IncludesSchema(rows.Text(row, 0))) continue;
    catalog_.excluded_schemas.emplace_back(rows.Text(row, 0));
  }
  return absl::OkStatus();
}

absl::Status CatalogReader::ReadKeys() {
  ASSIGN_OR_RETURN(const PgResult rows,
                   connection_.Exec(CatalogKeysSql(version_)));
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(const uint32_t oid, Oid(rows, row, 0));
    CatalogTable* const table = FindTable(oid);
    if (table == nullptr) continue;
    const bool is_primary = rows.Bool(row, 1);
    const bool is_identity = rows.Bool(row, 2);
    const bool by_index = table->identity == ReplicaIdentity::kIndex;
    const bool by_default = table->identity == ReplicaIdentity::kDefault;
    if (!(by_index && is_identity) && !(by_default && is_primary)) continue;
    if (by_index) table->identity_index = std::string(rows.Text(row, 3));
    table->key.emplace_back(rows.Text(row, 4));
    table->has_usable_identity = true;
  }
  return absl::OkStatus();
}

absl::Status CatalogReader::ReadColumns() {
  ASSIGN_OR_RETURN(const PgResult rows,
                   connection_.Exec(CatalogColumnsSql(version_)));
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(const uint32_t oid, Oid(rows, row, 0));
    CatalogTable* const table = FindTable(oid);
    if (table == nullptr) continue;
    CatalogColumn column;
    column.name = std::string(rows.Text(row, 1));
    ASSIGN_OR_RETURN(const int64_t attnum, rows.Int64(row, 2));
    column.attnum = static_cast<int>(attnum);
    ASSIGN_OR_RETURN(column.type_oid, Oid(rows, row, 3));
    column.type = std::string(rows.Text(row, 4));
    column.not_null = rows.Bool(row, 5);
    column.generated = Char(rows, row, 6);
    column.identity = Char(rows, row, 7);
    table->columns.push_back(std::move(column));
  }
  return absl::OkStatus();
}

absl::Status CatalogReader::ReadSizes() {
  ASSIGN_OR_RETURN(const PgResult rows, connection_.Exec(CatalogSizesSql(
                                            catalog_.tables, version_)));
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(const uint32_t oid, Oid(rows, row, 0));
    CatalogTable* const table = FindTable(oid);
    if (table == nullptr) continue;
    ASSIGN_OR_RETURN(table->bytes, rows.Int64(row, 1));
    ASSIGN_OR_RETURN(table->blocks, rows.Int64(row, 2));
  }
  return absl::OkStatus();
}

absl::Status CatalogReader::ReadSequences() {
  struct Owner {
    uint32_t table = 0;
    std::string column;
  };
  ASSIGN_OR_RETURN(const PgResult rows,
                   connection_.Exec(CatalogSequenceOwnersSql()));
  absl::flat_hash_map<uint32_t, Owner> owners;
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(const uint32_t sequence, Oid(rows, row, 0));
    Owner& owner = owners[sequence];
    ASSIGN_OR_RETURN(owner.table, Oid(rows, row, 1));
    owner.column = std::string(rows.Text(row, 2));
  }
  for (const RelationRow& relation : relations_) {
    if (relation.kind != 'S') continue;
    if (relation.of_extension && !relation.is_config) continue;
    CatalogSequence sequence{.oid = relation.oid, .name = relation.name};
    // Where rows alone are carried, another table's sequence on the target
    // would be set, too, and nobody's has not been asked for by naming tables.
    const bool rows_alone = !scope_.options().carries_schema();
    bool included = scope_.IncludesSchema(relation.name.schema);
    const auto owner = owners.find(relation.oid);
    if (owner != owners.end()) {
      const auto table = relation_by_oid_.find(owner->second.table);
      if (table == relation_by_oid_.end()) continue;
      sequence.owner_table = relations_[table->second].name;
      sequence.owner_column = owner->second.column;
      const RelationRow& owned_by = relations_[table->second];
      included = included && owned_by.included &&
                 (!rows_alone ||
                  scope_.IncludesData(owned_by.name, owned_by.ancestors));
    } else {
      included = included && (!rows_alone || scope_.options().tables.empty());
    }
    if (included) {
      catalog_.sequences.push_back(std::move(sequence));
    } else {
      catalog_.excluded_tables.push_back(relation.name);
    }
  }
  return absl::OkStatus();
}

absl::Status CatalogReader::ReadMaterializedViews() {
  ASSIGN_OR_RETURN(const PgResult rows,
                   connection_.Exec(CatalogViewReadsSql()));
  Oids reads;
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(const uint32_t reader, Oid(rows, row, 0));
    ASSIGN_OR_RETURN(const uint32_t read, Oid(rows, row, 1));
    reads[reader].push_back(read);
  }
  for (const RelationRow& relation : relations_) {
    if (relation.kind == 'm') AddAfterWhatItReads(relation.oid, reads);
  }
  return absl::OkStatus();
}

// Depth first through views of both kinds, as long as a chain of them is.
void CatalogReader::AddAfterWhatItReads(uint32_t view, const Oids& reads) {
  if (!visited_views_.insert(view).second) return;
  if (const auto found = reads.find(view); found != reads.end()) {
    for (const uint32_t read : found->second) AddAfterWhatItReads(read, reads);
  }
  const auto place = relation_by_oid_.find(view);
  if (place == relation_by_oid_.end()) return;
  const RelationRow& relation = relations_[place->second];
  if (relation.kind != 'm' || !relation.included) return;
  catalog_.materialized_views.push_back({.oid = relation.oid,
                                         .name = relation.name,
                                         .populated = relation.populated});
}

absl::Status CatalogReader::ReadWhatIsDelayed() {
  DelayedRelations& delayed = catalog_.delayed;
  std::vector<uint32_t> oids(delayed.whole.begin(), delayed.whole.end());
  oids.insert(oids.end(), delayed.in_part.begin(), delayed.in_part.end());
  const std::string relations =
      absl::StrCat("'{", absl::StrJoin(oids, ","), "}'::oid[]");
  ASSIGN_OR_RETURN(const PgResult readers,
                   connection_.Exec(CatalogDelayedReadersSql(relations)));
  for (int row = 0; row < readers.rows(); ++row) {
    ASSIGN_OR_RETURN(const uint32_t reader, Oid(readers, row, 0));
    for (CatalogMaterializedView& view : catalog_.materialized_views) {
      view.delayed |= view.oid == reader;
    }
  }
  ASSIGN_OR_RETURN(const PgResult keys,
                   connection_.Exec(CatalogForeignKeysSql(relations)));
  for (int row = 0; row < keys.rows(); ++row) {
    CatalogForeignKey key;
    ASSIGN_OR_RETURN(key.oid, Oid(keys, row, 0));
    ASSIGN_OR_RETURN(key.table, Oid(keys, row, 1));
    ASSIGN_OR_RETURN(key.referenced, Oid(keys, row, 2));
    delayed.foreign_keys.push_back(key);
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> CatalogTable::StoredColumns() const {
  std::vector<std::string> names;
  for (const CatalogColumn& column : columns) {
    if (column.generated == 0) names.push_back(column.name);
  }
  return names;
}

const CatalogTable* Catalog::Find(const QualifiedName& table) const {
  const auto found =
      std::lower_bound(tables.begin(), tables.end(), table,
                       [](const CatalogTable& a, const QualifiedName& name) {
                         return a.name < name;
                       });
  return found != tables.end() && found->name == table ? &*found : nullptr;
}

namespace {

absl::StatusOr<Catalog> ReadWithEmptySearchPath(PgConnection& connection,
                                                const Scope& scope,
                                                CatalogSizes sizes) {
  ASSIGN_OR_RETURN(const std::string search_path,
                   connection.QueryValue(
                       "SELECT pg_catalog.current_setting('search_path')"));
  RETURN_IF_ERROR(
      connection.Exec("SELECT pg_catalog.set_config('search_path', '', false)")
          .status());
  absl::StatusOr<Catalog> catalog =
      CatalogReader(connection, scope, sizes).Read();
  const absl::Status restored =
      connection
          .Exec(absl::StrCat("SELECT pg_catalog.set_config('search_path', ",
                             QuoteLiteral(search_path), ", false)"))
          .status();
  if (catalog.ok() && !restored.ok()) return restored;
  return catalog;
}

}  // namespace

absl::StatusOr<Catalog> ReadCatalog(PgConnection& connection,
                                    const Scope& scope, CatalogSizes sizes) {
  absl::StatusOr<Catalog> catalog =
      ReadWithEmptySearchPath(connection, scope, sizes);
  if (!catalog.ok()) return Annotate(catalog.status(), "read the catalog");
  return catalog;
}

}  // namespace walferry

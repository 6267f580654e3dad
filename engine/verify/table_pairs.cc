#include "engine/verify/table_pairs.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/strings/substitute.h"
#include "engine/catalog/catalog.h"
#include "engine/name_some.h"
#include "engine/verify/table_facts.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// A call of the type's send function; "": it holds no float, or not alone.
absl::string_view SendFormat(uint32_t type) {
  switch (type) {
    case 600:
      return "point_send($0::point)";
    case 601:
      return "lseg_send($0::lseg)";
    case 602:
      return "path_send($0::path)";
    case 603:
      return "box_send($0::box)";
    case 604:
      return "poly_send($0::polygon)";
    case 628:
      return "line_send($0::line)";
    case 700:
      return "float4send($0::float4)";
    case 701:
      return "float8send($0::float8)";
    case 718:
      return "circle_send($0::circle)";
    case 1021:
      return "array_send($0::float4[])";
    case 1022:
      return "array_send($0::float8[])";
    default:
      return "";
  }
}

// Of a column's type, or of what its domain stands for.
absl::string_view SendFormatOf(const CatalogColumn& column,
                               const TableFacts& facts) {
  const auto base = facts.base_types.find(column.type_oid);
  return SendFormat(base == facts.base_types.end() ? column.type_oid
                                                   : base->second);
}

std::string ColumnSql(const CatalogColumn& column, const TableFacts& facts,
                      bool as_sent) {
  const absl::string_view send = as_sent ? SendFormatOf(column, facts) : "";
  if (send.empty()) return QuoteIdentifier(column.name);
  return absl::Substitute(send, QuoteIdentifier(column.name));
}

// By the type's own output function: a cast to text may be another one, such
// as that of char(n), which loses spaces.
std::string ColumnTextSql(const CatalogColumn& column, const TableFacts& facts,
                          bool as_sent) {
  const std::string sql = ColumnSql(column, facts, as_sent);
  if (as_sent && !SendFormatOf(column, facts).empty()) {
    return absl::StrCat("textin(byteaout(", sql, "))");
  }
  const auto function = facts.output_functions.find(column.type_oid);
  if (function == facts.output_functions.end() || function->second.empty()) {
    // concat() calls it, too. A row of NULLs is NULL to IS NULL.
    return absl::StrCat("(CASE WHEN num_nulls(", sql, ") = 0 THEN concat(", sql,
                        ") END)");
  }
  if (function->second == "textout" || function->second == "varcharout") {
    return absl::StrCat(sql, "::text");
  }
  return absl::StrCat("textin(", function->second, "(", sql, "))");
}

void AddColumn(const CatalogColumn& column, const TableFacts& facts,
               bool as_sent, bool not_null, TableSide& side) {
  side.columns.push_back(ColumnSql(column, facts, as_sent));
  side.texts.push_back(ColumnTextSql(column, facts, as_sent));
  side.marked_texts.push_back(
      not_null ? side.texts.back()
               : absl::StrCat("coalesce('=' || ", side.texts.back(), ", '-')"));
}

void AddKeyColumn(const CatalogColumn& column, const TableFacts& facts,
                  bool as_sent, TableSide& side) {
  side.key.push_back(ColumnSql(column, facts, as_sent));
  side.key_texts.push_back(ColumnTextSql(column, facts, as_sent));
}

const CatalogColumn* FindColumn(const std::vector<CatalogColumn>& columns,
                                absl::string_view name) {
  const auto found = absl::c_find_if(
      columns, [&](const CatalogColumn& each) { return each.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

// What one side knows.
struct Knowledge {
  Catalog catalog;
  TableFacts facts;
  int version = 0;
  std::string encoding;
};

// A table, or a partitioned one as a whole.
struct Unit {
  std::vector<const CatalogTable*> tables;
  bool tree = false;
  bool partial = false;  // Not all of the tree is in `tables`.

  const std::vector<CatalogColumn>& columns() const {
    static const auto* const kNone = new std::vector<CatalogColumn>;
    return tables.empty() ? *kNone : tables.front()->columns;
  }
};

// All that is compared: what is virtual on both sides has no values of its own.
bool IsCompared(const CatalogColumn& column, const CatalogColumn* other) {
  return column.generated != 'v' ||
         (other != nullptr && other->generated != 'v');
}

// The partitions one by one, as the tree has more of them.
std::string PartitionsSql(const Unit& unit) {
  std::vector<std::string> parts;
  for (const CatalogTable* table : unit.tables) {
    std::vector<std::string> columns = {"tableoid", "ctid"};
    for (const CatalogColumn& column : unit.columns()) {
      columns.push_back(QuoteIdentifier(column.name));
    }
    parts.push_back(absl::StrCat("SELECT ", absl::StrJoin(columns, ", "),
                                 " FROM ONLY ", Quote(table->name)));
  }
  return absl::StrCat("(", absl::StrJoin(parts, " UNION ALL "), ") AS part");
}

TableSide SideOf(const QualifiedName& name, const Unit& unit,
                 const Knowledge& known) {
  TableSide side;
  side.from = unit.partial
                  ? PartitionsSql(unit)
                  : absl::StrCat(unit.tree ? "" : "ONLY ", Quote(name));
  side.estimate = 0;
  for (const CatalogTable* table : unit.tables) {
    side.storage.push_back({.oid = table->oid, .name = table->name});
    side.bytes += table->bytes;
    const auto file = known.facts.filenodes.find(table->oid);
    absl::StrAppend(&side.files, side.files.empty() ? "" : ",", table->oid, "/",
                    file == known.facts.filenodes.end() ? 0 : file->second);
    const auto found = known.facts.estimates.find(table->oid);
    if (found == known.facts.estimates.end() || found->second < 0 ||
        side.estimate < 0) {
      side.estimate = -1;
    } else {
      side.estimate += found->second;
    }
  }
  if (!unit.tree) side.blocks = unit.tables.front()->blocks;
  return side;
}

bool IsNeverNull(const Unit& unit, const CatalogColumn& column,
                 const Knowledge& known) {
  if (!column.not_null || unit.tree) return false;
  const auto found =
      known.facts.unproven_not_null.find(unit.tables.front()->oid);
  return found == known.facts.unproven_not_null.end() ||
         !found->second.contains(column.name);
}

void ChooseColumns(const Unit& source, const Knowledge& source_knows,
                   const Unit& target, const Knowledge& target_knows,
                   bool as_sent, TablePair& pair) {
  std::vector<std::string> only_source, only_target;
  for (const CatalogColumn& column : source.columns()) {
    const CatalogColumn* other = FindColumn(target.columns(), column.name);
    if (!IsCompared(column, other)) continue;
    if (other == nullptr) {
      only_source.push_back(column.name);
      continue;
    }
    pair.columns.push_back(column.name);
    const bool not_null = IsNeverNull(source, column, source_knows) &&
                          IsNeverNull(target, *other, target_knows);
    AddColumn(column, source_knows.facts, as_sent, not_null, pair.source);
    AddColumn(*other, target_knows.facts, as_sent, not_null, pair.target);
  }
  for (const CatalogColumn& column : target.columns()) {
    if (IsCompared(column, nullptr) &&
        FindColumn(source.columns(), column.name) == nullptr) {
      only_target.push_back(column.name);
    }
  }
  std::vector<std::string> differences;
  if (!only_source.empty()) {
    differences.push_back(absl::StrCat("columns that only the source has: ",
                                       NameSome(only_source)));
  }
  if (!only_target.empty()) {
    differences.push_back(absl::StrCat("columns that only the target has: ",
                                       NameSome(only_target)));
  }
  pair.difference = absl::StrJoin(differences, "; ");
}

const std::vector<UniqueKey>& KeysOf(const Unit& unit, const Knowledge& known) {
  static const auto* const kNone = new std::vector<UniqueKey>;
  if (unit.tree || unit.tables.empty()) return *kNone;
  const auto found = known.facts.keys.find(unit.tables.front()->oid);
  return found == known.facts.keys.end() ? *kNone : found->second;
}

bool OrderedAlike(const UniqueKey& key, const std::vector<UniqueKey>& others,
                  bool same_encoding) {
  return absl::c_any_of(others, [&](const UniqueKey& other) {
    return absl::c_equal(
        key.columns, other.columns,
        [&](const UniqueKey::Column& a, const UniqueKey::Column& b) {
          // Text of collation C is ordered by its bytes.
          return a.name == b.name && a.order == b.order && !a.order.empty() &&
                 (same_encoding || absl::StartsWith(a.order, "value "));
        });
  });
}

void ChooseKey(const Unit& source, const Knowledge& source_knows,
               const Unit& target, const Knowledge& target_knows, bool as_sent,
               TablePair& pair) {
  // Of a partitioned table any leaf's key is as good a name for its rows, as
  // they are named and not looked up by it.
  const Unit first = {
      .tables = {source.tables.begin(),
                 source.tables.begin() + (source.tables.empty() ? 0 : 1)},
      .tree = false};
  for (const UniqueKey& key : KeysOf(first, source_knows)) {
    TablePair candidate;
    for (const UniqueKey::Column& column : key.columns) {
      const CatalogColumn* a = FindColumn(source.columns(), column.name);
      const CatalogColumn* b = FindColumn(target.columns(), column.name);
      if (a == nullptr || b == nullptr) break;
      candidate.key.push_back(column.name);
      AddKeyColumn(*a, source_knows.facts, as_sent, candidate.source);
      AddKeyColumn(*b, target_knows.facts, as_sent, candidate.target);
    }
    if (candidate.key.size() != key.columns.size()) continue;
    pair.key = std::move(candidate.key);
    pair.source.key = std::move(candidate.source.key);
    pair.source.key_texts = std::move(candidate.source.key_texts);
    pair.target.key = std::move(candidate.target.key);
    pair.target.key_texts = std::move(candidate.target.key_texts);
    const bool sent =
        as_sent && absl::c_any_of(pair.key, [&](const std::string& name) {
          return !SendFormatOf(*FindColumn(source.columns(), name),
                               source_knows.facts)
                      .empty();
        });
    pair.ordered = !source.tree && !target.tree && !sent &&
                   OrderedAlike(key, KeysOf(target, target_knows),
                                source_knows.encoding == target_knows.encoding);
    return;
  }
}

// Puts the pairs together.
class Matching {
 public:
  Matching(const Knowledge& source, const Knowledge& target, VerifyShare share,
           absl::string_view ledger_schema)
      : source_(source), target_(target), ledger_schema_(ledger_schema) {
    found_.share = share;
    if (share == VerifyShare::kBehindClients &&
        absl::c_none_of(source.catalog.tables, IsDelayed)) {
      found_.share = VerifyShare::kAll;
    }
    for (const CatalogTable& table : target.catalog.tables) {
      if (table.copy_data) left_.insert(table.name);
    }
  }

  TablePairs Match() {
    absl::flat_hash_set<QualifiedName> taken;
    for (const auto& [root, tree] : source_.facts.trees) {
      MatchTree(root, tree, target_.facts.trees.find(root), taken);
    }
    // Trees that are plain tables on the source.
    for (const auto& [root, tree] : target_.facts.trees) {
      const CatalogTable* plain = source_.catalog.Find(root);
      if (plain == nullptr || !plain->copy_data) continue;
      AddTree(root, {.tables = {plain}}, TreeOf(target_, tree));
      taken.insert(root);
    }
    for (const CatalogTable& table : source_.catalog.tables) {
      if (!table.copy_data || taken.contains(table.name) || IsOwn(table.name)) {
        continue;
      }
      const CatalogTable* other = target_.catalog.Find(table.name);
      if (other == nullptr) {
        if (!Wants(table.delayed)) continue;
        AddSingle(table.name, "is not on the target");
      } else {
        Add(table.name, {.tables = {&table}}, {.tables = {other}});
      }
    }
    for (const QualifiedName& name : left_) {
      // Clients may make tables, too.
      if (IsOwn(name) || found_.share == VerifyShare::kBehindClients) continue;
      AddSingle(name, "is not on the source");
    }
    Sort();
    Remark();
    return std::move(found_);
  }

 private:
  using Trees = absl::flat_hash_map<QualifiedName, PartitionTree>;

  static bool IsDelayed(const CatalogTable& table) { return table.delayed; }
  static bool HasDelayed(const Unit& unit) {
    return absl::c_any_of(
        unit.tables, [](const CatalogTable* table) { return table->delayed; });
  }

  bool Wants(bool delayed) const {
    return found_.share == VerifyShare::kAll ||
           delayed == (found_.share == VerifyShare::kBehindClients);
  }

  bool IsOwn(const QualifiedName& name) const {
    return name.schema == ledger_schema_;
  }

  static std::vector<const CatalogTable*> Leaves(const Knowledge& side,
                                                 const PartitionTree& tree) {
    std::vector<const CatalogTable*> leaves;
    for (const QualifiedName& member : tree.members) {
      const CatalogTable* leaf = side.catalog.Find(member);
      if (leaf != nullptr && leaf->copy_data) leaves.push_back(leaf);
    }
    return leaves;
  }

  static Unit TreeOf(const Knowledge& side, const PartitionTree& tree) {
    Unit unit = {.tables = Leaves(side, tree), .tree = true};
    unit.partial = unit.tables.size() != tree.leaves;
    return unit;
  }

  // Trees that are alike are compared leaf by leaf, by what follows. So are
  // those of which nothing is in scope on the other side.
  void MatchTree(const QualifiedName& root, const PartitionTree& tree,
                 Trees::const_iterator other,
                 absl::flat_hash_set<QualifiedName>& taken) {
    const Unit source = TreeOf(source_, tree);
    if (source.tables.empty()) return;
    Unit target;
    if (other != target_.facts.trees.end()) {
      if (other->second.shape == tree.shape) return;
      target = TreeOf(target_, other->second);
      if (target.tables.empty()) return;
    } else if (const CatalogTable* plain = target_.catalog.Find(root);
               plain != nullptr) {
      target = {.tables = {plain}};
    } else {
      return;
    }
    AddTree(root, source, target);
    for (const CatalogTable* leaf : source.tables) taken.insert(leaf->name);
  }

  // A table beside a part of a tree has rows of the rest, too, and nobody knows
  // which.
  void AddTree(const QualifiedName& root, const Unit& source,
               const Unit& target) {
    const bool source_alone = source.partial && !target.tree;
    if (!source_alone && !(target.partial && !source.tree)) {
      Add(root, source, target);
      return;
    }
    for (const CatalogTable* table : target.tables) left_.erase(table->name);
    if (!Wants(HasDelayed(source))) return;
    TableVerdict verdict;
    verdict.table = root;
    verdict.detail = absl::StrCat(
        "some of its partitions on the ", source_alone ? "source" : "target",
        " are out of scope, and the ", source_alone ? "target" : "source",
        " has one table for all");
    found_.single.push_back(std::move(verdict));
  }

  void Add(const QualifiedName& name, const Unit& source, const Unit& target) {
    for (const CatalogTable* table : target.tables) left_.erase(table->name);
    if (!Wants(HasDelayed(source))) return;
    TablePair pair;
    pair.name = name;
    pair.whole_tree = source.tree || target.tree;
    pair.unlogged = absl::c_any_of(
        source.tables,
        [](const CatalogTable* table) { return table->unlogged; });
    pair.source = SideOf(name, source, source_);
    pair.target = SideOf(name, target, target_);
    if (!source.tree) {
      pair.condition = std::string(absl::StripPrefix(
          absl::StripAsciiWhitespace(source.tables.front()->config_condition),
          "WHERE "));
    }
    const bool as_sent =
        std::min(source_.version, target_.version) < kShortestFloats;
    ChooseColumns(source, source_, target, target_, as_sent, pair);
    ChooseKey(source, source_, target, target_, as_sent, pair);
    NoteColumns(name, source, target, as_sent);
    NotePart(name, source, target);
    found_.pairs.push_back(std::move(pair));
  }

  void NoteColumns(const QualifiedName& name, const Unit& source,
                   const Unit& target, bool as_sent) {
    for (const CatalogColumn& column : source.columns()) {
      const CatalogColumn* other = FindColumn(target.columns(), column.name);
      if (other == nullptr) continue;
      const std::string shown = absl::StrCat(ToDisplay(name), ".", column.name);
      if (!IsCompared(column, other)) virtual_.push_back(shown);
      if (as_sent && source_.facts.with_floats.contains(column.type_oid) &&
          SendFormatOf(column, source_.facts).empty()) {
        rounded_.push_back(shown);
      }
    }
  }

  void NotePart(const QualifiedName& name, const Unit& source,
                const Unit& target) {
    if (!source.partial && !target.partial) return;
    parts_.push_back(absl::StrCat(ToDisplay(name), " (", source.tables.size(),
                                  " on the source, ", target.tables.size(),
                                  " on the target)"));
  }

  void AddSingle(const QualifiedName& name, absl::string_view what) {
    TableVerdict verdict;
    verdict.table = name;
    verdict.outcome = TableVerdict::Outcome::kDifferent;
    verdict.detail = std::string(what);
    found_.single.push_back(std::move(verdict));
  }

  void Sort() {
    absl::c_sort(found_.pairs, [](const TablePair& a, const TablePair& b) {
      return std::pair(-a.source.bytes, a.name) <
             std::pair(-b.source.bytes, b.name);
    });
  }

  void Remark() {
    std::vector<std::string> without_rows;
    bool own = false;
    for (const CatalogTable& table : source_.catalog.tables) {
      if (!table.copy_data) without_rows.push_back(ToDisplay(table.name));
      own = own || IsOwn(table.name);
    }
    if (own) {
      found_.remarks.push_back(
          absl::StrCat("tables of schema ", ledger_schema_,
                       " are not compared: it is walferry's own"));
    }
    if (!without_rows.empty()) {
      found_.remarks.push_back(
          absl::StrCat("rows are not compared, as they are out of scope: ",
                       NameSome(without_rows)));
    }
    if (!parts_.empty()) {
      found_.remarks.push_back(
          absl::StrCat("only those partitions are compared that are in scope "
                       "and not foreign: of ",
                       NameSome(parts_)));
    }
    if (!virtual_.empty()) {
      found_.remarks.push_back(
          absl::StrCat("virtual columns are not compared, as they are made of "
                       "others when they are read: ",
                       NameSome(virtual_)));
    }
    if (!rounded_.empty()) {
      found_.remarks.push_back(absl::StrCat(
          "floats that are parts of other values are compared to 15 digits, of "
          "real to 6, as servers before PostgreSQL 12 print the rest in "
          "another way: ",
          NameSome(rounded_)));
    }
    if (!source_.catalog.materialized_views.empty()) {
      found_.remarks.push_back(
          "rows of materialized views are not compared: they are made of "
          "those of tables");
    }
  }

  const Knowledge& source_;
  const Knowledge& target_;
  const absl::string_view ledger_schema_;
  absl::flat_hash_set<QualifiedName> left_;  // On the target.
  // For remarks, as they are shown.
  std::vector<std::string> parts_, virtual_, rounded_;
  TablePairs found_;
};

absl::StatusOr<Knowledge> Learn(PgConnection& session, const Scope& scope) {
  Knowledge known;
  ASSIGN_OR_RETURN(known.catalog, ReadCatalog(session, scope));
  ASSIGN_OR_RETURN(known.facts, ReadTableFacts(session));
  known.version = session.server_version();
  known.encoding = session.parameter("server_encoding");
  return known;
}

}  // namespace

absl::StatusOr<TablePairs> FindTablePairs(SessionPair& sessions,
                                          const Scope& scope, VerifyShare share,
                                          const std::string& ledger_schema) {
  absl::StatusOr<Knowledge> source = Learn(sessions.source, scope);
  if (!source.ok()) return Annotate(source.status(), "source");
  absl::StatusOr<Knowledge> target = Learn(sessions.target, scope);
  if (!target.ok()) return Annotate(target.status(), "target");
  TablePairs pairs = Matching(*source, *target, share, ledger_schema).Match();
  pairs.sequences = static_cast<int64_t>(source->catalog.sequences.size());
  std::vector<std::string> foreign;
  for (const QualifiedName& table : source->facts.foreign_tables) {
    if (scope.IncludesData(table)) foreign.push_back(ToDisplay(table));
  }
  if (!foreign.empty()) {
    pairs.remarks.push_back(absl::StrCat(
        "rows of foreign tables are not compared, as they are elsewhere: ",
        NameSome(foreign)));
  }
  return pairs;
}

// Each column's hash is the seed of the next one's: that takes a third of the
// time of a row's text, and of long texts much less.
std::string RowHashSql(RowHash hash, const TableSide& side) {
  if (hash != RowHash::kHashText || side.columns.empty()) {
    return HashSql(hash, absl::StrCat("ROW(", absl::StrJoin(side.columns, ", "),
                                      ")::text"));
  }
  // A server parses expressions by recursion, and takes 1600 columns.
  constexpr size_t kChain = 50;
  std::vector<std::string> chains;
  for (size_t first = 0; first < side.marked_texts.size(); first += kChain) {
    std::string chain = "0";
    const size_t end = std::min(first + kChain, side.marked_texts.size());
    for (size_t i = first; i < end; ++i) {
      chain = HashSql(hash, side.marked_texts[i], chain);
    }
    chains.push_back(std::move(chain));
  }
  if (chains.size() == 1) return chains.front();
  return HashSql(
      hash, absl::StrCat("concat_ws(' ', ", absl::StrJoin(chains, ", "), ")"));
}

std::string KeyTextSql(const TableSide& side) {
  return absl::StrCat("ROW(", absl::StrJoin(side.key, ", "), ")::text");
}

}  // namespace walferry

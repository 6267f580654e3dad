#include "engine/schema/schema_plan.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/schema/unproven_foreign_key.h"

namespace walferry {
namespace {

constexpr uint32_t kPgClass = 1259;

struct StageOfType {
  absl::string_view type;
  SchemaStage stage;
};

// The types that pg_dump puts after the rows. Others that stand behind the
// first of these wait for one of them, such as a view that groups by a key.
constexpr StageOfType kPostData[] = {
    {"CHECK CONSTRAINT", SchemaStage::kIndexes},
    {"CONSTRAINT", SchemaStage::kIndexes},
    {"INDEX", SchemaStage::kIndexes},
    {"INDEX ATTACH", SchemaStage::kIndexes},
    {"DEFAULT ACL", SchemaStage::kObjects},
    {"POLICY", SchemaStage::kObjects},
    {"ROW SECURITY", SchemaStage::kObjects},
    {"STATISTICS", SchemaStage::kObjects},
    {"FK CONSTRAINT", SchemaStage::kForeignKeys},
    {"RULE", SchemaStage::kTriggers},
    {"TRIGGER", SchemaStage::kTriggers},
    {"EVENT TRIGGER", SchemaStage::kEventTriggers},
};

const StageOfType* FindPostData(absl::string_view type) {
  for (const StageOfType& entry : kPostData) {
    if (entry.type == type) return &entry;
  }
  return nullptr;
}

// One that is there already will do: check has looked at what is in it.
void AllowExisting(DumpEntry& entry) {
  if (entry.type != "SCHEMA") return;
  const std::string create = "CREATE SCHEMA ";
  const size_t at = entry.sql.find(create);
  if (at == std::string::npos) return;
  entry.sql.insert(at + create.size(), "IF NOT EXISTS ");
}

// Says something about another entry: its first dependency.
bool BelongsToAnother(const DumpEntry& entry) {
  return (entry.type == "ACL" || entry.type == "COMMENT" ||
          entry.type == "SECURITY LABEL") &&
         !entry.dependencies.empty();
}

// The rule that makes a relation a view: pg_dump tells of it separately where
// views need each other.
bool IsViewRule(const DumpEntry& entry) {
  return entry.type == "RULE" && absl::EndsWith(entry.name, " _RETURN");
}

// Primary keys, and the indexes of REPLICA IDENTITY USING INDEX.
bool IsKey(const DumpEntry& entry) {
  return (entry.type == "CONSTRAINT" || entry.type == "INDEX") &&
         (absl::StrContains(entry.sql, " PRIMARY KEY ") ||
          absl::StrContains(entry.sql, " REPLICA IDENTITY "));
}

class Planner {
 public:
  explicit Planner(const Catalog& catalog) : delayed_(catalog.delayed) {
    for (const CatalogTable& table : catalog.tables) {
      bytes_of_table_[table.oid] = table.bytes;
    }
  }

  SchemaPlan Plan(std::vector<DumpEntry> entries) {
    Divide(std::move(entries));
    for (size_t place = 0; place < plan_.steps.size(); ++place) Link(place);
    if (!delayed_.empty()) Delay();
    PromoteAndWeigh();
    Rank();
    return std::move(plan_);
  }

 private:
  // What decides the order of steps.
  struct Weight {
    bool key = false;
    int64_t bytes = 0;
  };

  void Divide(std::vector<DumpEntry> entries) {
    bool post_data = false;
    for (DumpEntry& entry : entries) {
      post_data |= FindPostData(entry.type) != nullptr;
      if (BelongsToAnother(entry)) {
        const auto owner = step_of_.find(entry.dependencies.front());
        if (owner != step_of_.end()) {
          AddTo(owner->second, entry);
          continue;
        }
        if (pre_data_.contains(entry.dependencies.front())) {
          AddToPreData(std::move(entry));
          continue;
        }
      }
      if (post_data) {
        AddStep(std::move(entry));
      } else {
        AddToPreData(std::move(entry));
      }
    }
  }

  void AddToPreData(DumpEntry entry) {
    AllowExisting(entry);
    pre_data_.insert(entry.dump_id);
    if (entry.class_oid == kPgClass) {
      relation_of_[entry.dump_id] = entry.oid;
    }
    plan_.pre_data.push_back(std::move(entry));
  }

  void AddTo(size_t place, const DumpEntry& entry) {
    absl::StrAppend(&plan_.steps[place].sql, "\n", entry.sql);
    step_of_[entry.dump_id] = place;
  }

  void AddStep(DumpEntry entry) {
    SchemaStep step;
    step.display = entry.Display();
    const StageOfType* const known = FindPostData(entry.type);
    step.stage = known == nullptr ? SchemaStage::kObjects : known->stage;
    step.id = UniqueId(entry, step.display);
    if (IsViewRule(entry)) {
      step.stage = SchemaStage::kObjects;
      step.id = absl::StrCat("VIEW ", step.id);
    }
    // CREATE INDEX runs beside others of its kind, but some come with an
    // ALTER TABLE, whose lock conflicts with theirs.
    step.exclusive =
        entry.type != "INDEX" || absl::StrContains(entry.sql, "\nALTER TABLE ");
    if (known == nullptr) late_.push_back(plan_.steps.size());
    weights_.push_back({.key = IsKey(entry)});
    types_.push_back(entry.type);
    oids_.push_back(entry.oid);
    sizes_.push_back(entry.sql.size());
    step.sql = std::move(entry.sql);
    step_of_[entry.dump_id] = plan_.steps.size();
    plan_.steps.push_back(std::move(step));
    dependencies_.push_back(std::move(entry.dependencies));
  }

  // OIDs stay when an object is renamed or dumped again; but REINDEX
  // CONCURRENTLY gives an index another one. It, and what has none, is told by
  // its name, which newlines may have made equal to another's.
  std::string UniqueId(const DumpEntry& entry, const std::string& display) {
    const std::string id = entry.oid != 0 && entry.type != "INDEX"
                               ? absl::StrCat(entry.type, " ", entry.oid)
                               : display;
    const int uses = ++uses_of_id_[id];
    return uses == 1 ? id : absl::StrCat(id, " (", uses, ")");
  }

  // A step comes after all that it depends on, and so behind it in the script.
  void Link(size_t place) {
    SchemaStep& step = plan_.steps[place];
    if (absl::StartsWith(step.display, "DEFAULT ACL ")) step.after = late_;
    for (const int dependency : dependencies_[place]) {
      if (const auto relation = relation_of_.find(dependency);
          relation != relation_of_.end()) {
        step.relations.push_back(relation->second);
      }
      const auto other = step_of_.find(dependency);
      if (other == step_of_.end() || other->second == place) continue;
      step.after.push_back(other->second);
      const std::vector<uint32_t>& theirs =
          plan_.steps[other->second].relations;
      step.relations.insert(step.relations.end(), theirs.begin(), theirs.end());
    }
    SortUnique(step.after);
    SortUnique(step.relations);
    for (const uint32_t relation : step.relations) {
      const auto bytes = bytes_of_table_.find(relation);
      if (bytes == bytes_of_table_.end()) continue;
      weights_[place].bytes = std::max(weights_[place].bytes, bytes->second);
    }
  }

  template <typename T>
  static void SortUnique(std::vector<T>& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
  }

  // What must not be there before the rows of delayed tables are.
  void Delay() {
    std::vector<SchemaStep> proofs;
    for (size_t place = 0; place < plan_.steps.size(); ++place) {
      SchemaStep& step = plan_.steps[place];
      const bool foreign_key = types_[place] == "FK CONSTRAINT";
      if (WaitsForRows(place) && !ProveLater(place, proofs)) {
        step.stage = foreign_key ? SchemaStage::kDelayedForeignKeys
                                 : SchemaStage::kDelayedIndexes;
      }
      for (const size_t before : step.after) {
        const SchemaStage stage = plan_.steps[before].stage;
        if (IsDelayed(stage)) step.stage = std::max(step.stage, stage);
      }
    }
    for (SchemaStep& proof : proofs) {
      weights_.push_back(weights_[proof.after.front()]);
      plan_.steps.push_back(std::move(proof));
    }
  }

  static bool IsDelayed(SchemaStage stage) {
    return stage == SchemaStage::kDelayedIndexes ||
           stage == SchemaStage::kDelayedForeignKeys;
  }

  // An index that is no key, a constraint that the source's own rows need not
  // obey, a foreign key.
  bool WaitsForRows(size_t place) const {
    const SchemaStep& step = plan_.steps[place];
    const auto is = [&](absl::string_view type) {
      return types_[place] == type;
    };
    const auto any = [&](const auto& of) {
      return std::any_of(step.relations.begin(), step.relations.end(), of);
    };
    if (is("FK CONSTRAINT")) {
      return any([&](uint32_t oid) { return delayed_.Contains(oid); });
    }
    const bool waits =
        (is("INDEX") &&
         !absl::StrContains(OwnSql(place), "CREATE UNIQUE INDEX ")) ||
        ((is("CONSTRAINT") || is("CHECK CONSTRAINT")) &&
         absl::StrContains(OwnSql(place), " NOT VALID;"));
    return waits &&
           any([&](uint32_t oid) { return delayed_.whole.contains(oid); });
  }

  // Without what belongs to it.
  absl::string_view OwnSql(size_t place) const {
    return absl::string_view(plan_.steps[place].sql).substr(0, sizes_[place]);
  }

  // A foreign key of a delayed table to one that is complete holds for what
  // clients write at once, and is proven for all rows when they are there.
  bool ProveLater(size_t place, std::vector<SchemaStep>& proofs) {
    if (types_[place] != "FK CONSTRAINT") return false;
    const auto key = std::find_if(
        delayed_.foreign_keys.begin(), delayed_.foreign_keys.end(),
        [&](const CatalogForeignKey& one) { return one.oid == oids_[place]; });
    if (key == delayed_.foreign_keys.end() ||
        delayed_.Contains(key->referenced) ||
        // Not of partitioned tables: servers before 18 cannot, or leave their
        // partitions' keys unproven.
        !bytes_of_table_.contains(key->table) ||
        !bytes_of_table_.contains(key->referenced)) {
      return false;
    }
    std::optional<UnprovenForeignKey> unproven = WithoutProof(OwnSql(place));
    if (!unproven) return false;
    plan_.steps[place].sql.replace(0, sizes_[place], unproven->create);
    if (unproven->validate.empty()) return true;
    SchemaStep proof;
    proof.id = absl::StrCat("VALIDATE ", plan_.steps[place].id);
    proof.display = absl::StrCat("VALIDATE ", plan_.steps[place].display);
    proof.stage = SchemaStage::kDelayedForeignKeys;
    proof.sql = std::move(unproven->validate);
    proof.after = {place};
    proof.relations = plan_.steps[place].relations;
    proofs.push_back(std::move(proof));
    return true;
  }

  // From the last to the first, so that what is handed on arrives.
  void PromoteAndWeigh() {
    for (size_t place = plan_.steps.size(); place-- > 0;) {
      const SchemaStep& step = plan_.steps[place];
      for (const size_t before : step.after) {
        SchemaStep& needed = plan_.steps[before];
        needed.stage = std::min(needed.stage, step.stage);
        weights_[before].key |= weights_[place].key;
        weights_[before].bytes =
            std::max(weights_[before].bytes, weights_[place].bytes);
      }
    }
  }

  void Rank() {
    std::vector<size_t> order(plan_.steps.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return std::make_tuple(!weights_[a].key, -weights_[a].bytes) <
             std::make_tuple(!weights_[b].key, -weights_[b].bytes);
    });
    for (size_t rank = 0; rank < order.size(); ++rank) {
      plan_.steps[order[rank]].rank = rank;
    }
  }

  const DelayedRelations& delayed_;
  absl::flat_hash_map<uint32_t, int64_t> bytes_of_table_;
  absl::flat_hash_set<int> pre_data_;               // Dump ids.
  absl::flat_hash_map<int, uint32_t> relation_of_;  // Dump id -> OID.
  absl::flat_hash_map<int, size_t> step_of_;        // Dump id -> its step.
  absl::flat_hash_map<std::string, int> uses_of_id_;
  // Steps that make objects which pre_data could not have yet. What default
  // privileges would add to theirs is not what they have on the source.
  std::vector<size_t> late_;
  SchemaPlan plan_;
  // Of each step.
  std::vector<std::vector<int>> dependencies_;
  std::vector<Weight> weights_;
  // Of each that comes from one entry.
  std::vector<std::string> types_;
  std::vector<uint32_t> oids_;
  std::vector<size_t> sizes_;  // Of the entry's own SQL.
};

}  // namespace

bool ActsOnRows(absl::string_view step_id) {
  return absl::StartsWith(step_id, "FK CONSTRAINT ") ||
         absl::StartsWith(step_id, "TRIGGER ") ||
         absl::StartsWith(step_id, "RULE ");
}

SchemaPlan PlanSchema(std::vector<DumpEntry> entries, const Catalog& catalog) {
  return Planner(catalog).Plan(std::move(entries));
}

}  // namespace walferry

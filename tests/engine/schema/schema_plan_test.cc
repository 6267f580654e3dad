#include "engine/schema/schema_plan.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A script in the making. Dump ids are given out from 1.
class Script {
 public:
  int Add(const std::string& type, const std::string& name,
          std::vector<int> dependencies = {}, const std::string& sql = "") {
    const int id = static_cast<int>(entries_.size()) + 1;
    DumpEntry entry{
        .dump_id = id,
        .dependencies = std::move(dependencies),
        .type = type,
        .schema = "s",
        .name = name,
        .sql = sql.empty() ? absl::StrCat("make ", name, ";") : sql};
    if (type == "TABLE") {
      entry.class_oid = 1259;
      entry.oid = static_cast<uint32_t>(1000 + id);
    }
    entries_.push_back(entry);
    return id;
  }

  // Of its size in the catalog.
  int AddTable(const std::string& name, int64_t bytes) {
    const int id = Add("TABLE", name);
    catalog_.tables.push_back(
        {.oid = entries_.back().oid, .name = {"s", name}, .bytes = bytes});
    return id;
  }

  // The table's rows come last.
  void Delay(int table) { catalog_.delayed.whole.insert(OidOf(table)); }
  // As of the catalog; another than the one of its table is referred to.
  void AddForeignKey(const std::string& name, int table, int referenced,
                     std::vector<int> dependencies, const std::string& sql) {
    Add("FK CONSTRAINT", name, std::move(dependencies), sql);
    entries_.back().class_oid = 2606;
    entries_.back().oid = static_cast<uint32_t>(5000 + entries_.size());
    catalog_.delayed.foreign_keys.push_back({.oid = entries_.back().oid,
                                             .table = OidOf(table),
                                             .referenced = OidOf(referenced)});
  }

  DumpEntry& last() { return entries_.back(); }
  SchemaPlan Plan() const { return PlanSchema(entries_, catalog_); }

 private:
  static uint32_t OidOf(int table) {
    return static_cast<uint32_t>(1000 + table);
  }

  std::vector<DumpEntry> entries_;
  Catalog catalog_;
};

std::vector<std::string> PreData(const SchemaPlan& plan) {
  std::vector<std::string> names;
  for (const DumpEntry& entry : plan.pre_data) names.push_back(entry.name);
  return names;
}

std::string StageName(SchemaStage stage) {
  switch (stage) {
    case SchemaStage::kIndexes:
      return "indexes";
    case SchemaStage::kObjects:
      return "objects";
    case SchemaStage::kForeignKeys:
      return "foreign keys";
    case SchemaStage::kTriggers:
      return "triggers";
    case SchemaStage::kDelayedIndexes:
      return "delayed indexes";
    case SchemaStage::kDelayedForeignKeys:
      return "delayed foreign keys";
    case SchemaStage::kEventTriggers:
      return "event triggers";
  }
  return "";
}

// "stage: display" of each step.
std::vector<std::string> Stages(const SchemaPlan& plan) {
  std::vector<std::string> texts;
  for (const SchemaStep& step : plan.steps) {
    texts.push_back(absl::StrCat(StageName(step.stage), ": ", step.display));
  }
  return texts;
}

std::vector<std::string> ByRank(const SchemaPlan& plan) {
  std::vector<std::string> names(plan.steps.size());
  for (const SchemaStep& step : plan.steps) names[step.rank] = step.display;
  return names;
}

TEST(PlanSchema, EndsPreDataAtTheFirstThatComesAfterTheRows) {
  Script script;
  const int schema = script.Add("SCHEMA", "s");
  const int table = script.Add("TABLE", "t", {schema});
  const int key = script.Add("CONSTRAINT", "t t_pkey", {table});
  const int view = script.Add("MATERIALIZED VIEW", "v", {table, key});
  script.Add("FUNCTION", "f(v)", {view});
  script.Add("COMMENT", "COLUMN t.a", {table});
  script.Add("ACL", "TABLE t", {table});
  const SchemaPlan plan = script.Plan();
  EXPECT_THAT(PreData(plan), ElementsAre("s", "t", "COLUMN t.a", "TABLE t"));
  EXPECT_THAT(Stages(plan), ElementsAre("indexes: CONSTRAINT s.t t_pkey",
                                        "objects: MATERIALIZED VIEW s.v",
                                        "objects: FUNCTION s.f(v)"));
  EXPECT_THAT(plan.steps[1].after, ElementsAre(0));
  EXPECT_THAT(plan.steps[2].after, ElementsAre(1));
}

TEST(PlanSchema, CreatesASchemaOnlyIfItIsMissing) {
  Script script;
  script.Add("SCHEMA", "s", {},
             "SET default_tablespace = '';\nCREATE SCHEMA s;\n\n\n"
             "ALTER SCHEMA s OWNER TO o;");
  script.Add("SCHEMA", "public", {}, "ALTER SCHEMA public OWNER TO o;");
  const SchemaPlan plan = script.Plan();
  ASSERT_EQ(plan.pre_data.size(), 2u);
  EXPECT_EQ(plan.pre_data[0].sql,
            "SET default_tablespace = '';\nCREATE SCHEMA IF NOT EXISTS s;\n\n\n"
            "ALTER SCHEMA s OWNER TO o;");
  EXPECT_EQ(plan.pre_data[1].sql, "ALTER SCHEMA public OWNER TO o;");
}

TEST(PlanSchema, PutsWhatBelongsToAnObjectIntoItsStep) {
  Script script;
  const int table = script.Add("TABLE", "t");
  const int index = script.Add("INDEX", "i", {table});
  const int trigger = script.Add("TRIGGER", "t g", {table});
  script.Add("COMMENT", "TRIGGER g", {trigger});
  const int acl = script.Add("ACL", "acl of i", {index});
  script.Add("ACL", "column of i", {index, acl});
  script.Add("SECURITY LABEL", "label", {index});
  const SchemaPlan plan = script.Plan();
  ASSERT_EQ(plan.steps.size(), 2u);
  EXPECT_EQ(plan.steps[0].sql,
            "make i;\nmake acl of i;\nmake column of i;\nmake label;");
  EXPECT_EQ(plan.steps[1].sql, "make t g;\nmake TRIGGER g;");
  EXPECT_THAT(plan.steps[0].after, IsEmpty());
}

TEST(PlanSchema, KnowsTheStageOfEveryType) {
  Script script;
  for (const std::string type :
       {"CHECK CONSTRAINT", "CONSTRAINT", "INDEX", "INDEX ATTACH",
        "DEFAULT ACL", "POLICY", "ROW SECURITY", "RULE", "STATISTICS",
        "FK CONSTRAINT", "TRIGGER", "EVENT TRIGGER", "NOVELTY"}) {
    script.Add(type, "x");
  }
  EXPECT_THAT(
      Stages(script.Plan()),
      ElementsAre("indexes: CHECK CONSTRAINT s.x", "indexes: CONSTRAINT s.x",
                  "indexes: INDEX s.x", "indexes: INDEX ATTACH s.x",
                  "objects: DEFAULT ACL s.x", "objects: POLICY s.x",
                  "objects: ROW SECURITY s.x", "triggers: RULE s.x",
                  "objects: STATISTICS s.x", "foreign keys: FK CONSTRAINT s.x",
                  "triggers: TRIGGER s.x", "event triggers: EVENT TRIGGER s.x",
                  "objects: NOVELTY s.x"));
}

TEST(PlanSchema, MakesViewsBeforeWhatActsOnRows) {
  Script script;
  const int view = script.Add("VIEW", "v");
  const int table = script.Add("TABLE", "t");
  script.Add("RULE", "t _RETURNS", {table});
  script.Add("RULE", "v _RETURN", {view});
  const SchemaPlan plan = script.Plan();
  EXPECT_THAT(Stages(plan), ElementsAre("triggers: RULE s.t _RETURNS",
                                        "objects: RULE s.v _RETURN"));
  EXPECT_TRUE(ActsOnRows(plan.steps[0].id));
  EXPECT_FALSE(ActsOnRows(plan.steps[1].id));
  EXPECT_TRUE(ActsOnRows("TRIGGER 7"));
  EXPECT_TRUE(ActsOnRows("FK CONSTRAINT 7"));
  EXPECT_FALSE(ActsOnRows("EVENT TRIGGER 7"));
  EXPECT_FALSE(ActsOnRows("INDEX 7"));
}

TEST(PlanSchema, MovesAStepToTheStageOfWhatNeedsIt) {
  Script script;
  const int table = script.Add("TABLE", "t");
  const int key = script.Add("CONSTRAINT", "k", {table});
  const int function = script.Add("FUNCTION", "f", {key});
  const int view = script.Add("MATERIALIZED VIEW", "v", {function});
  script.Add("INDEX", "i", {view});
  script.Add("MATERIALIZED VIEW", "other", {key});
  EXPECT_THAT(
      Stages(script.Plan()),
      ElementsAre("indexes: CONSTRAINT s.k", "indexes: FUNCTION s.f",
                  "indexes: MATERIALIZED VIEW s.v", "indexes: INDEX s.i",
                  "objects: MATERIALIZED VIEW s.other"));
}

TEST(PlanSchema, StartsKeysFirstThenBiggerTables) {
  Script script;
  const int small = script.AddTable("small", 10);
  const int big = script.AddTable("big", 1000);
  const int middle = script.AddTable("middle", 100);
  script.Add("INDEX", "small_i", {small});
  script.Add("INDEX", "big_i", {big});
  script.Add("INDEX", "middle_i", {middle},
             "CREATE UNIQUE INDEX;\n\nALTER TABLE ONLY t REPLICA IDENTITY "
             "USING INDEX middle_i;");
  script.Add("CONSTRAINT", "small_k", {small},
             "ALTER TABLE t\n    ADD CONSTRAINT k PRIMARY KEY (a);");
  script.Add("CONSTRAINT", "big_u", {big},
             "ALTER TABLE t\n    ADD CONSTRAINT k UNIQUE (a);");
  EXPECT_THAT(
      ByRank(script.Plan()),
      ElementsAre("INDEX s.middle_i", "CONSTRAINT s.small_k", "INDEX s.big_i",
                  "CONSTRAINT s.big_u", "INDEX s.small_i"));
}

// A partition's key waits for its parent's, which has no size.
TEST(PlanSchema, StartsWhatABigKeyWaitsForBeforeSmallKeys) {
  Script script;
  const int parent = script.Add("TABLE", "parent");
  const int small = script.AddTable("small", 10);
  const int big = script.AddTable("big", 1000);
  const std::string sql = "ADD CONSTRAINT k PRIMARY KEY (a);";
  script.Add("CONSTRAINT", "small_k", {small}, sql);
  const int parent_key = script.Add("INDEX", "parent_k", {parent});
  script.Add("CONSTRAINT", "big_k", {big, parent_key}, sql);
  EXPECT_THAT(ByRank(script.Plan()),
              ElementsAre("INDEX s.parent_k", "CONSTRAINT s.big_k",
                          "CONSTRAINT s.small_k"));
}

TEST(PlanSchema, KnowsWhatAStepLocks) {
  Script script;
  const int a = script.Add("TABLE", "a");
  const int b = script.Add("TABLE", "b");
  const int function = script.Add("FUNCTION", "f");
  const int key = script.Add("CONSTRAINT", "b_key", {b, b});
  script.Add("INDEX", "plain", {a, a, function}, "CREATE INDEX;");
  script.Add("INDEX", "clustered", {a},
             "CREATE INDEX;\n\nALTER TABLE a CLUSTER ON clustered;");
  script.Add("FK CONSTRAINT", "a b", {a, key, a});
  const SchemaPlan plan = script.Plan();
  EXPECT_THAT(plan.steps[0].relations, ElementsAre(1002));
  EXPECT_TRUE(plan.steps[0].exclusive);
  EXPECT_THAT(plan.steps[1].relations, ElementsAre(1001));
  EXPECT_FALSE(plan.steps[1].exclusive);
  EXPECT_THAT(plan.steps[2].relations, ElementsAre(1001));
  EXPECT_TRUE(plan.steps[2].exclusive);
  EXPECT_THAT(plan.steps[3].relations, ElementsAre(1001, 1002));
  EXPECT_TRUE(plan.steps[3].exclusive);
}

// They would add to what the objects have on the source.
TEST(PlanSchema, SetsDefaultPrivilegesAfterAllObjects) {
  Script script;
  const int key = script.Add("CONSTRAINT", "k");
  const int view = script.Add("VIEW", "v", {key});
  script.Add("DEFAULT ACL", "DEFAULT PRIVILEGES FOR TABLES");
  const SchemaPlan plan = script.Plan();
  EXPECT_EQ(view, 2);
  EXPECT_THAT(plan.steps[2].after, ElementsAre(1));
}

TEST(PlanSchema, NamesStepsByOidsWhereTheyStay) {
  Script script;
  script.Add("TRIGGER", "t a");
  script.last().oid = 77;
  script.Add("INDEX", "i");  // REINDEX CONCURRENTLY makes it anew.
  script.last().oid = 78;
  script.Add("INDEX ATTACH", "a b");
  script.Add("INDEX ATTACH", "a b");  // "a\nb" on the source.
  const SchemaPlan plan = script.Plan();
  EXPECT_EQ(plan.steps[0].id, "TRIGGER 77");
  EXPECT_EQ(plan.steps[1].id, "INDEX s.i");
  EXPECT_EQ(plan.steps[2].id, "INDEX ATTACH s.a b");
  EXPECT_EQ(plan.steps[3].id, "INDEX ATTACH s.a b (2)");
}

TEST(PlanSchema, DelaysWhatMustNotBeThereBeforeTheRows) {
  Script script;
  const int log = script.AddTable("log", 10);
  const int part = script.AddTable("part", 10);
  const int whole = script.Add("TABLE", "whole");
  const int other = script.AddTable("other", 10);
  script.Delay(log);
  script.Delay(part);
  const int key = script.Add("CONSTRAINT", "log log_pkey", {log});
  const int other_key = script.Add("CONSTRAINT", "other other_pkey", {other});
  script.Add("CHECK CONSTRAINT", "log fits", {log},
             "ALTER TABLE s.log ADD CONSTRAINT fits CHECK (a > 0) NOT VALID;");
  script.Add("INDEX", "log_a", {log}, "CREATE INDEX log_a ON s.log (a);");
  script.Add("INDEX", "log_b", {log},
             "CREATE UNIQUE INDEX log_b ON s.log (b);");
  script.Add("INDEX", "other_a", {other},
             "CREATE INDEX other_a ON s.other (a);");
  const int whole_index = script.Add("INDEX", "whole_a", {whole},
                                     "CREATE INDEX whole_a ON ONLY ...");
  const int part_index = script.Add("INDEX", "part_a", {part},
                                    "CREATE INDEX part_a ON s.part (a);");
  script.Add("INDEX ATTACH", "part_a", {part_index, whole_index});
  script.Add("TRIGGER", "log t", {log});
  script.AddForeignKey("log to_other", log, other, {log, other, other_key},
                       "ALTER TABLE ONLY s.log\n    ADD CONSTRAINT to_other "
                       "FOREIGN KEY (a) REFERENCES s.other(id);");
  script.Add("COMMENT", "to_other", {script.last().dump_id});
  script.AddForeignKey("other to_log", other, log, {other, log, key},
                       "ALTER TABLE ONLY s.other\n    ADD CONSTRAINT to_log "
                       "FOREIGN KEY (a) REFERENCES s.log(id);");
  // One that the catalog did not know yet.
  script.Add("FK CONSTRAINT", "log new", {log, other_key});
  const SchemaPlan plan = script.Plan();
  EXPECT_THAT(
      Stages(plan),
      ElementsAre("indexes: CONSTRAINT s.log log_pkey",
                  "indexes: CONSTRAINT s.other other_pkey",
                  "delayed indexes: CHECK CONSTRAINT s.log fits",
                  "delayed indexes: INDEX s.log_a", "indexes: INDEX s.log_b",
                  "indexes: INDEX s.other_a", "indexes: INDEX s.whole_a",
                  "delayed indexes: INDEX s.part_a",
                  "delayed indexes: INDEX ATTACH s.part_a",
                  "triggers: TRIGGER s.log t",
                  "foreign keys: FK CONSTRAINT s.log to_other",
                  "delayed foreign keys: FK CONSTRAINT s.other to_log",
                  "delayed foreign keys: FK CONSTRAINT s.log new",
                  "delayed foreign keys: VALIDATE FK CONSTRAINT s.log "
                  "to_other"));
  EXPECT_EQ(plan.steps[10].sql,
            "ALTER TABLE ONLY s.log\n    ADD CONSTRAINT to_other FOREIGN KEY "
            "(a) REFERENCES s.other(id) NOT VALID;\nmake to_other;");
  const SchemaStep& proof = plan.steps.back();
  EXPECT_EQ(proof.sql, "ALTER TABLE ONLY s.log VALIDATE CONSTRAINT to_other;");
  EXPECT_THAT(proof.after, ElementsAre(10));
  EXPECT_EQ(proof.id, "VALIDATE " + plan.steps[10].id);
}

}  // namespace
}  // namespace walferry

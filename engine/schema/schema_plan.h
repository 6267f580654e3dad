#ifndef ENGINE_SCHEMA_SCHEMA_PLAN_H_
#define ENGINE_SCHEMA_SCHEMA_PLAN_H_

// Divides a dumped schema into what comes before the rows and into steps that
// run in parallel after them.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/catalog/catalog.h"
#include "engine/schema/dump_script.h"

namespace walferry {

// When a step runs. Stages are run in this order. Those of the foreign keys, of
// the triggers and of the event triggers may wait until the stream has caught
// up (design section 6).
enum class SchemaStage {
  kIndexes,  // Indexes, primary, unique, exclusion, check constraints.
  kObjects,  // Statistics, policies, default privileges.
  kForeignKeys,
  kTriggers,  // And rules, but those that make a view.
  // After the rows of delayed tables (engine/catalog/delayed_tables.h).
  kDelayedIndexes,
  kDelayedForeignKeys,
  kEventTriggers,
};

// One entry with what belongs to it (comment, privileges): one transaction.
struct SchemaStep {
  // Names it in the ledger; the same after another dump.
  std::string id;
  std::string display;  // "INDEX public.orders_idx".
  SchemaStage stage = SchemaStage::kIndexes;
  std::string sql;
  // Positions in SchemaPlan::steps of those that must be done before.
  std::vector<size_t> after;
  // Source OIDs of the relations it locks, each once. `exclusive`: no other
  // step may work on any of them at the same time.
  std::vector<uint32_t> relations;
  bool exclusive = true;
  // Within a stage what is ready and has the smallest rank starts first.
  size_t rank = 0;
};

struct SchemaPlan {
  // What rows need: types, functions, tables, views. In order. A schema's
  // statement does nothing where the schema is there.
  std::vector<DumpEntry> pre_data;
  std::vector<SchemaStep> steps;
};

// Every entry of the script is in pre_data or in exactly one step. pre_data
// ends at the first entry that PostgreSQL makes after the rows, and what
// belongs to its objects joins it. A step that one of an earlier stage depends
// on is moved to that stage; what needs a step that waits for delayed rows
// waits with it. Ranks: what keys need and keys (the stream finds rows by
// them), then by the size of the tables, biggest first.
SchemaPlan PlanSchema(std::vector<DumpEntry> entries, const Catalog& catalog);

// The step of that id makes something that acts on rows that are written to
// its table: a foreign key, a trigger, a rule.
bool ActsOnRows(absl::string_view step_id);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_SCHEMA_PLAN_H_

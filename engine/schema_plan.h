#ifndef ENGINE_SCHEMA_PLAN_H_
#define ENGINE_SCHEMA_PLAN_H_

// Divides the post-data part of a schema into steps that run in parallel.

#include <cstdint>
#include <string>
#include <vector>

#include "engine/catalog.h"
#include "engine/schema_dump.h"

namespace walferry {

// When a step runs. Stages are run in this order; the last three may wait
// until the stream has caught up (design section 6).
enum class SchemaStage {
  kIndexes,  // Indexes, primary, unique, exclusion, check constraints.
  kObjects,  // Statistics, rules, policies, default privileges.
  kForeignKeys,
  kTriggers,
  kEventTriggers,
};

// One entry with what belongs to it (comment, privileges): one transaction.
struct SchemaStep {
  // Names it in the ledger; the same after another dump.
  std::string id;
  std::string display;  // "INDEX public.orders_idx".
  SchemaStage stage = SchemaStage::kIndexes;
  std::string sql;
  // Positions in the plan of the steps that must be done before.
  std::vector<int> after;
  // Source OIDs of the relations it locks; `exclusive`: no other step may work
  // on any of them at the same time.
  std::vector<uint32_t> relations;
  bool exclusive = false;
  // Within a stage what is ready and has the smallest rank starts first.
  int rank = 0;
};

// Every entry of dump.post_data is in exactly one step. A step that one of an
// earlier stage depends on is moved to that stage. In kIndexes keys come first
// (the stream finds rows by them), then bigger tables.
std::vector<SchemaStep> PlanPostData(const SchemaDump& dump,
                                     const Catalog& catalog);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_PLAN_H_

#ifndef TESTS_DIFFERENTIAL_RANDOM_SCHEMA_H_
#define TESTS_DIFFERENTIAL_RANDOM_SCHEMA_H_

// Tables of all kinds that changes are applied to, drawn from a seed.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tests/differential/column_type.h"
#include "tests/differential/dice.h"

namespace walferry {

struct RandomColumn {
  enum class Role {
    kKey,
    kUnique,     // Part of a second unique key.
    kValue,      // May be anything.
    kBase,       // int, what the generated column is made of.
    kGenerated,  // GENERATED ALWAYS AS (expression).
    kIdentity,   // GENERATED ALWAYS AS IDENTITY.
    kReference,  // Of a foreign key.
    kUnsent,     // Of the source alone: not in the publication's column list.
    kLate,       // The source gets it while changes are under way.
    kOwn,        // Of the target alone.
  };
  std::string name;
  const ColumnType* type = nullptr;
  Role role = Role::kValue;
  bool nullable = true;
};

// How a second unique key is checked.
enum class Uniqueness {
  kAtOnce,
  kDeferrable,
  kDeferred,
  kExclusion,   // EXCLUDE (... WITH =)
  kExpression,  // An index that is no constraint.
  kPartial,
};

// How the source tells old rows.
enum class Identity { kPrimaryKey, kFull, kIndex };

struct Reference {
  size_t table = 0;    // Index of the one referred to.
  std::string clause;  // ON DELETE ... and so on.
  bool on_target = false;
};

struct RandomTable {
  std::string name;
  std::vector<RandomColumn> columns;
  size_t key_columns = 0;  // The first ones. 0: no key.
  Identity identity = Identity::kPrimaryKey;
  // Checked at the end of statements: good for no more than FULL.
  bool deferrable_key = false;
  // Otherwise the target has its columns, and no index of them.
  bool key_on_target = true;
  // Identity::kIndex: the key is a unique index, and this column the primary
  // key.
  bool other_primary_key = false;
  Uniqueness uniqueness = Uniqueness::kAtOnce;
  std::optional<Reference> reference;
  int partitions = 0;         // 0: not partitioned.
  bool ranges = false;        // Otherwise by hash.
  int target_partitions = 0;  // 0: a plain table there.
  // A trigger of the target that always fires notes every change.
  bool trigger = false;
  // A subscription can replicate it, see random_schema.cc.
  bool native = true;

  std::vector<const RandomColumn*> With(RandomColumn::Role role) const;
  bool Has(RandomColumn::Role role) const { return !With(role).empty(); }
  // On the target; otherwise by all values of a row.
  bool FoundByKey() const {
    return key_columns > 0 && !deferrable_key && key_on_target;
  }
};

struct RandomSchema {
  std::vector<RandomTable> tables;
  bool publish_via_partition_root = false;
  bool binary = false;  // pgoutput's, so only types for which that is exact.
};

RandomSchema DrawSchema(Dice& dice, int server_major);

}  // namespace walferry

#endif  // TESTS_DIFFERENTIAL_RANDOM_SCHEMA_H_

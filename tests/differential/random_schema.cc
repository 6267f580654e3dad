#include "tests/differential/random_schema.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace walferry {
namespace {

using Role = RandomColumn::Role;

class TableDice {
 public:
  TableDice(Dice& dice, const RandomSchema& schema, int server_major)
      : dice_(dice), schema_(schema), server_major_(server_major) {
    table_.name = absl::StrCat("t", schema.tables.size() + 1);
  }

  RandomTable Draw() {
    DrawKind();
    DrawKey();
    if (table_.other_primary_key ||
        (table_.partitions == 0 && dice_.Chance(60))) {
      DrawUnique();
    }
    DrawValues();
    if (table_.partitions == 0 && dice_.Chance(50)) DrawReference();
    DrawOneSidedColumns();
    table_.native = IsNative();
    // An update of an identity column is a delete and an insert to walferry,
    // and to its triggers.
    table_.trigger = table_.native && table_.partitions == 0 &&
                     !table_.Has(Role::kIdentity) && dice_.Chance(12);
    return std::move(table_);
  }

 private:
  void DrawKind() {
    const int kind = dice_.Pick(1, 100);
    if (schema_.tables.empty() || kind <= 40) {
      table_.key_columns = dice_.Chance(65) ? 1 : 2;
    } else if (kind <= 55) {
      table_.key_columns = dice_.Chance(65) ? 1 : 2;
      table_.identity = Identity::kFull;
      table_.deferrable_key = dice_.Chance(40);
      table_.key_on_target = dice_.Chance(80);
    } else if (kind <= 67) {
      table_.identity = Identity::kFull;
    } else if (kind <= 82) {
      table_.key_columns = dice_.Chance(65) ? 1 : 2;
      table_.identity = Identity::kIndex;
      table_.other_primary_key = dice_.Chance(40);
    } else {
      DrawPartitions();
    }
  }

  void DrawPartitions() {
    table_.key_columns = 2;
    if (dice_.Chance(25)) table_.identity = Identity::kFull;
    table_.partitions = dice_.Pick(1, 3);
    table_.ranges = dice_.Chance(50);
    table_.target_partitions = table_.partitions;
    // Changes are told of the partitions, or of the table that they are of.
    if (schema_.publish_via_partition_root && dice_.Chance(60)) {
      table_.target_partitions = dice_.Pick(0, 3);
    }
  }

  void DrawKey() {
    for (size_t column = 0; column < table_.key_columns; ++column) {
      const ColumnType* type = dice_.OneOf(KeyTypes(schema_.binary));
      if (dice_.Chance(25)) type = &TypeNamed("int");
      if (dice_.Chance(15)) type = &TypeNamed("numeric");
      if (column == 0 && table_.partitions > 0) {
        type = &TypeNamed(
            table_.ranges ? "int"
                          : dice_.OneOf<absl::string_view>(
                                {"int", "text", "numeric", "uuid", "date"}));
      }
      Add("k", *type, Role::kKey, /*nullable=*/false);
    }
  }

  void DrawUnique() {
    const int columns = dice_.Chance(80) ? 1 : 2;
    for (int column = 0; column < columns; ++column) {
      const ColumnType& type = TypeNamed(dice_.OneOf<absl::string_view>(
          {"int", "int", "text", "numeric", "uuid",
           schema_.binary ? "varchar(40)" : "public.code"}));
      Add("u", type, Role::kUnique, !table_.other_primary_key);
    }
    table_.uniqueness =
        dice_.Chance(50) ? Uniqueness::kAtOnce
                         : dice_.OneOf<Uniqueness>(
                               {Uniqueness::kDeferrable, Uniqueness::kDeferred,
                                Uniqueness::kExclusion, Uniqueness::kExpression,
                                Uniqueness::kPartial});
    if (table_.other_primary_key) table_.uniqueness = Uniqueness::kAtOnce;
  }

  void DrawValues() {
    const std::vector<const ColumnType*> types = ValueTypes(schema_.binary);
    const int columns = dice_.Pick(table_.key_columns == 0 ? 1 : 0, 7);
    for (int column = 0; column < columns; ++column) {
      Add("v", *dice_.OneOf(types), Role::kValue, dice_.Chance(80));
    }
    if (dice_.Chance(40)) DrawExternal(types);
    if (dice_.Chance(25)) {
      Add("b", TypeNamed("int"), Role::kBase, dice_.Chance(50));
      Add("g", TypeNamed("bigint"), Role::kGenerated, true);
    }
    if (table_.partitions == 0 && dice_.Chance(20)) {
      Add("i", TypeNamed("int"), Role::kIdentity, false);
    }
  }

  void DrawExternal(std::vector<const ColumnType*> types) {
    types.erase(
        std::remove_if(types.begin(), types.end(),
                       [](const ColumnType* type) { return !type->external; }),
        types.end());
    const int columns = dice_.Pick(1, 2);
    for (int column = 0; column < columns; ++column) {
      Add("v", *dice_.OneOf(types), Role::kValue, dice_.Chance(70));
    }
  }

  // Of a table with a key of one column, which may be this one.
  void DrawReference() {
    std::vector<size_t> parents;
    const auto consider = [&](const RandomTable& parent, size_t index) {
      if (parent.key_columns == 1 && !parent.deferrable_key &&
          parent.partitions == 0) {
        parents.push_back(index);
      }
    };
    for (size_t index = 0; index < schema_.tables.size(); ++index) {
      consider(schema_.tables[index], index);
    }
    consider(table_, schema_.tables.size());
    if (parents.empty()) return;
    const size_t parent = dice_.OneOf(parents);
    const RandomTable& referred =
        parent < schema_.tables.size() ? schema_.tables[parent] : table_;
    Add("r", *referred.columns[0].type, Role::kReference, true);
    table_.reference = {
        .table = parent,
        .clause = absl::StrCat(
            dice_.OneOf<absl::string_view>(
                {"ON DELETE CASCADE", "ON DELETE SET NULL", ""}),
            " ", dice_.Chance(70) ? "ON UPDATE CASCADE" : "", " ",
            dice_.Chance(30) ? "DEFERRABLE INITIALLY DEFERRED" : ""),
        .on_target = dice_.Chance(50)};
  }

  void DrawOneSidedColumns() {
    const bool listed = server_major_ >= 15 &&
                        table_.identity != Identity::kFull && dice_.Chance(20);
    // Otherwise each partition would need a list of its own.
    const bool may_list =
        table_.partitions == 0 || schema_.publish_via_partition_root;
    if (listed && may_list) {
      Add("s", TypeNamed("int"), Role::kUnsent, true);
    } else if (dice_.Chance(20)) {
      Add("l", *dice_.OneOf(ValueTypes(schema_.binary)), Role::kLate, true);
    }
    if (dice_.Chance(20)) {
      Add("o", TypeNamed("text"), Role::kOwn, true);
    }
  }

  // What a subscription cannot do, and walferry can:
  // - rows of a table without a key that hold values without an equality
  //   operator (json, point) stop it;
  // - among such rows that are equal it takes the first, which may look
  //   different (1.0 and 1.00) from the one that was changed;
  // - it never finds such rows where columns of the target's own are not NULL.
  // walferry looks for the rows of a key that is checked late as the
  // subscription does: such a key finds none.
  bool IsNative() const {
    if (table_.FoundByKey()) return true;
    return std::all_of(table_.columns.begin(), table_.columns.end(),
                       [](const RandomColumn& column) {
                         return column.type->equality &&
                                column.type->equal_is_identical &&
                                column.role != Role::kOwn;
                       });
  }

  void Add(absl::string_view prefix, const ColumnType& type, Role role,
           bool nullable) {
    table_.columns.push_back(
        {.name = absl::StrCat(prefix, table_.columns.size()),
         .type = &type,
         .role = role,
         .nullable = nullable});
  }

  Dice& dice_;
  const RandomSchema& schema_;
  const int server_major_;
  RandomTable table_;
};

}  // namespace

std::vector<const RandomColumn*> RandomTable::With(
    RandomColumn::Role role) const {
  std::vector<const RandomColumn*> found;
  for (const RandomColumn& column : columns) {
    if (column.role == role) found.push_back(&column);
  }
  return found;
}

RandomSchema DrawSchema(Dice& dice, int server_major) {
  RandomSchema schema{.publish_via_partition_root = dice.Chance(50),
                      .binary = dice.Chance(25)};
  const int tables = dice.Pick(3, 6);
  for (int table = 0; table < tables; ++table) {
    schema.tables.push_back(TableDice(dice, schema, server_major).Draw());
  }
  return schema;
}

}  // namespace walferry

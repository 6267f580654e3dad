#include "tests/differential/random_statement.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/substitute.h"

namespace walferry {
namespace {

using Role = RandomColumn::Role;

std::string NamesOf(const std::vector<const RandomColumn*>& columns) {
  return absl::StrJoin(columns, ", ",
                       [](std::string* out, const RandomColumn* column) {
                         absl::StrAppend(out, column->name);
                       });
}

}  // namespace

StatementDice::StatementDice(const RandomSchema& schema,
                             const RandomTable& table, bool late_columns,
                             Dice& dice)
    : schema_(schema), table_(table), dice_(dice), name_(table.name) {
  for (const RandomColumn& column : table.columns) {
    switch (column.role) {
      case Role::kLate:
        if (!late_columns) break;
        [[fallthrough]];
      case Role::kUnique:
      case Role::kValue:
      case Role::kBase:
      case Role::kReference:
      case Role::kUnsent:
        set_.push_back(&column);
        [[fallthrough]];
      case Role::kKey:
        inserted_.push_back(&column);
        break;
      case Role::kGenerated:
      case Role::kIdentity:
      case Role::kOwn:
        break;
    }
  }
}

std::vector<std::string> StatementDice::DrawSmall() {
  const bool keyed = table_.key_columns > 0;
  const bool unique = table_.Has(Role::kUnique);
  switch (dice_.Pick(1, 22)) {
    case 1:
    case 2:
    case 3:
    case 4:
      return {InsertOne(Key())};
    case 5:
      return {Delete(OneRow())};
    case 6: {
      const int key = Key();
      const std::string where = keyed ? KeyEquals(absl::StrCat(key)) : OneRow();
      return {Delete(where), InsertOne(key)};
    }
    case 7:
    case 8:
      if (keyed) return {ChangeKey()};
      break;
    case 9:
      if (keyed) return {dice_.Chance(60) ? SwapKeys() : ShiftKeys()};
      break;
    case 10:
    case 11:
    case 17:
    case 18:
      if (unique) return {SwapUnique()};
      break;
    case 12:
      if (unique) return {ShiftUnique()};
      break;
    case 13:
      return {ChangeNothing()};
    case 14:
      return {Upsert()};
    case 15:
      return {UseTwin()};
    case 16:
      if (table_.Has(Role::kIdentity)) return {ChangeIdentity()};
      break;
    default:
      break;
  }
  return {Update(Settings(), dice_.Chance(80) ? OneRow() : SomeRows())};
}

std::vector<std::string> StatementDice::DrawBig() {
  switch (dice_.Pick(1, 10)) {
    case 1:
      return {Delete(SomeRows())};
    case 2:
      return {Update(Settings(), "true")};
    case 3:
    case 4:
    case 5:
      return {Update(Settings(), SomeRows())};
    default:
      return {InsertMany()};
  }
}

std::string StatementDice::Value(const RandomColumn& column,
                                 absl::string_view number) {
  if (column.role == Role::kReference) {
    // Of a row that is there.
    const RandomTable& parent = schema_.tables[table_.reference->table];
    if (dice_.Chance(50)) return "NULL";
    return absl::Substitute("(SELECT $0 FROM public.$1 OFFSET $2 LIMIT 1)",
                            parent.columns[0].name, parent.name,
                            dice_.Pick(0, 20));
  }
  return column.nullable ? NullableValueOf(*column.type, number)
                         : ValueOf(*column.type, number);
}

std::vector<std::string> StatementDice::KeyValues(absl::string_view number) {
  if (table_.key_columns == 1) {
    return {ValueOf(*table_.columns[0].type, number)};
  }
  return {ValueOf(*table_.columns[0].type, absl::StrCat("(", number, ") / 2")),
          ValueOf(*table_.columns[1].type, absl::StrCat("(", number, ") % 2"))};
}

std::string StatementDice::KeyEquals(absl::string_view number) {
  const std::vector<std::string> values = KeyValues(number);
  std::vector<std::string> conditions;
  for (size_t column = 0; column < values.size(); ++column) {
    conditions.push_back(
        absl::StrCat(table_.columns[column].name, " = ", values[column]));
  }
  return absl::StrJoin(conditions, " AND ");
}

std::string StatementDice::OneRow() {
  if (table_.key_columns > 0) return KeyEquals(absl::StrCat(Key()));
  return absl::Substitute(
      "ctid = (SELECT ctid FROM public.$0 OFFSET $1 LIMIT 1)", name_,
      dice_.Pick(0, 20));
}

std::string StatementDice::SomeRows() {
  if (table_.key_columns == 0) {
    return absl::Substitute(
        "ctid = ANY (ARRAY(SELECT ctid FROM public.$0 OFFSET $1 LIMIT $2))",
        name_, dice_.Pick(0, 20), dice_.Pick(1, 20));
  }
  const int first = dice_.Chance(50) ? Key() : 100 + 10 * Key();
  return absl::Substitute(
      "($0) IN (SELECT $1 FROM generate_series($2, $3) AS i)",
      NamesOf(table_.With(Role::kKey)), absl::StrJoin(KeyValues("i"), ", "),
      first, first + (dice_.Chance(70) ? 10 : 100));
}

std::string StatementDice::Settings() {
  std::vector<const RandomColumn*> columns = set_;
  if (columns.empty()) return NoSetting();
  dice_.Shuffle(columns);
  columns.resize(std::min(columns.size(), size_t{1} + dice_.Pick(0, 2)));
  std::vector<std::string> settings;
  for (const RandomColumn* column : columns) {
    // A table with duplicates keeps them for a while.
    const int number = dice_.Pick(0, table_.key_columns == 0 ? 4 : 60);
    settings.push_back(absl::StrCat(column->name, " = ",
                                    Value(*column, absl::StrCat(number))));
  }
  return absl::StrJoin(settings, ", ");
}

std::string StatementDice::Insert(absl::string_view key,
                                  absl::string_view others,
                                  absl::string_view from) {
  std::vector<std::string> values;
  const std::vector<std::string> keys =
      table_.key_columns == 0 ? std::vector<std::string>() : KeyValues(key);
  size_t next_key = 0;
  for (const RandomColumn* column : inserted_) {
    values.push_back(column->role == Role::kKey      ? keys[next_key++]
                     : column->role == Role::kUnique ? Value(*column, key)
                                                     : Value(*column, others));
  }
  return absl::StrCat("INSERT INTO public.", name_, " (", NamesOf(inserted_),
                      ") SELECT ", absl::StrJoin(values, ", "), from);
}

std::string StatementDice::InsertOne(int key) {
  const int other = dice_.Pick(0, table_.key_columns == 0 ? 4 : 60);
  const bool may_arbitrate = !table_.deferrable_key &&
                             table_.uniqueness != Uniqueness::kDeferrable &&
                             table_.uniqueness != Uniqueness::kDeferred;
  return absl::StrCat(
      Insert(absl::StrCat(key), absl::StrCat(other), ""),
      may_arbitrate && dice_.Chance(40) ? " ON CONFLICT DO NOTHING" : "");
}

std::string StatementDice::InsertMany() {
  const int first = dice_.Chance(30) ? Key() : 100 + 10 * Key();
  const std::string others =
      absl::StrCat("i % ", dice_.Pick(2, 9), " + ", dice_.Pick(0, 9));
  return Insert("i", others,
                absl::StrCat(" FROM generate_series(", first, ", ",
                             first + dice_.Pick(5, dice_.Chance(30) ? 250 : 60),
                             ") AS i"));
}

std::string StatementDice::Upsert() {
  if (table_.key_columns == 0 || table_.deferrable_key || set_.empty()) {
    return InsertOne(Key());
  }
  return absl::StrCat(
      Insert(absl::StrCat(Key()), absl::StrCat(dice_.Pick(0, 60)), ""),
      " ON CONFLICT (", NamesOf(table_.With(Role::kKey)), ") DO UPDATE SET ",
      Settings());
}

std::string StatementDice::Update(absl::string_view settings,
                                  absl::string_view where) {
  return absl::StrCat("UPDATE public.", name_, " SET ", settings, " WHERE ",
                      where);
}

std::string StatementDice::Delete(absl::string_view where) {
  return absl::StrCat("DELETE FROM public.", name_, " WHERE ", where);
}

std::string StatementDice::ChangeKey() {
  std::vector<std::string> settings;
  const std::vector<std::string> values = KeyValues(absl::StrCat(Key()));
  for (size_t column = 0; column < values.size(); ++column) {
    if (column > 0 && dice_.Chance(50)) continue;
    settings.push_back(
        absl::StrCat(table_.columns[column].name, " = ", values[column]));
  }
  if (dice_.Chance(50) && !set_.empty()) settings.push_back(Settings());
  return Update(absl::StrJoin(settings, ", "), OneRow());
}

std::string StatementDice::SwapKeys() {
  const std::string one = absl::StrCat(Key());
  const std::string other = absl::StrCat(Key());
  const auto move = [&](const std::string& from, const std::string& to) {
    return Update(absl::StrReplaceAll(KeyEquals(to), {{" AND ", ", "}}),
                  KeyEquals(from));
  };
  return absl::StrCat("DO $$BEGIN ", move(one, "98"), "; ", move(other, one),
                      "; ", move("98", other), "; END$$");
}

// Each row takes the key of the next one, which has just given it up.
std::string StatementDice::ShiftKeys() {
  const int first = Key();
  return absl::StrCat(
      "DO $$BEGIN FOR i IN REVERSE ", first + dice_.Pick(2, 10), "..", first,
      " LOOP ",
      Update(absl::StrReplaceAll(KeyEquals("i + 1"), {{" AND ", ", "}}),
             KeyEquals("i")),
      "; END LOOP; END$$");
}

std::string StatementDice::SwapUnique() {
  const RandomColumn& column = *table_.With(Role::kUnique).front();
  return absl::Substitute(
      "DO $$$$DECLARE a $0; b $0; BEGIN"
      " SELECT $1 INTO a FROM public.$2 ORDER BY 1 OFFSET $3 LIMIT 1;"
      " SELECT $1 INTO b FROM public.$2 ORDER BY 1 OFFSET $4 LIMIT 1;"
      " IF a IS NULL OR b IS NULL THEN RETURN; END IF;"
      " UPDATE public.$2 SET $1 = $5 WHERE $1 = a;"
      " UPDATE public.$2 SET $1 = a WHERE $1 = b;"
      " UPDATE public.$2 SET $1 = b WHERE $1 = $5; END$$$$",
      column.type->name, column.name, name_, dice_.Pick(0, 9), dice_.Pick(0, 9),
      ValueOf(*column.type, "99"));
}

std::string StatementDice::ShiftUnique() {
  const RandomColumn& column = *table_.With(Role::kUnique).front();
  const int first = Key();
  return absl::Substitute(
      "DO $$$$BEGIN FOR i IN REVERSE $0..$1 LOOP"
      " UPDATE public.$2 SET $3 = $4 WHERE $3 = $5; END LOOP; END$$$$",
      first + dice_.Pick(2, 20), first, name_, column.name,
      ValueOf(*column.type, "i + 1"), ValueOf(*column.type, "i"));
}

std::string StatementDice::UseTwin() {
  std::vector<const RandomColumn*> twins;
  for (const RandomColumn* column : inserted_) {
    if (!column->type->twin.empty() && column->role != Role::kReference) {
      twins.push_back(column);
    }
  }
  if (twins.empty()) return ChangeNothing();
  const RandomColumn& column = *dice_.OneOf(twins);
  return Update(absl::StrCat(column.name, " = ",
                             absl::StrReplaceAll(column.type->twin,
                                                 {{"#", column.name}})),
                OneRow());
}

std::string StatementDice::ChangeIdentity() {
  return Update(
      absl::StrCat(table_.With(Role::kIdentity).front()->name, " = DEFAULT"),
      OneRow());
}

std::string StatementDice::ChangeNothing() {
  return Update(NoSetting(), dice_.Chance(50) ? OneRow() : SomeRows());
}

std::string StatementDice::NoSetting() {
  const std::string& column = dice_.OneOf(inserted_)->name;
  return absl::StrCat(column, " = ", column);
}

}  // namespace walferry

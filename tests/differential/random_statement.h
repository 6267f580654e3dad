#ifndef TESTS_DIFFERENTIAL_RANDOM_STATEMENT_H_
#define TESTS_DIFFERENTIAL_RANDOM_STATEMENT_H_

// Statements that change one random table.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/differential/dice.h"
#include "tests/differential/random_schema.h"

namespace walferry {

class StatementDice {
 public:
  // `late_columns`: the source has them. All outlive this.
  StatementDice(const RandomSchema& schema, const RandomTable& table,
                bool late_columns, Dice& dice);

  // Few rows, or one.
  std::vector<std::string> DrawSmall();
  // Many rows by one statement.
  std::vector<std::string> DrawBig();

 private:
  // Rows by their key's number, 0 to kKeys - 1, which are there or not.
  static constexpr int kKeys = 30;

  int Key() { return dice_.Pick(0, kKeys - 1); }
  std::string Value(const RandomColumn& column, absl::string_view number);
  // Of the whole key, and what makes it: "k0 = ...".
  std::vector<std::string> KeyValues(absl::string_view number);
  std::string KeyEquals(absl::string_view number);
  std::string OneRow();    // A condition.
  std::string SomeRows();  // A condition.
  std::string Settings();  // "v1 = ..., v2 = ..."

  std::string Insert(absl::string_view key, absl::string_view others,
                     absl::string_view from);
  std::string InsertOne(int key);
  std::string InsertMany();
  std::string Upsert();
  std::string Update(absl::string_view settings, absl::string_view where);
  std::string Delete(absl::string_view where);
  std::string ChangeKey();
  std::string SwapKeys();
  std::string ShiftKeys();
  std::string SwapUnique();
  std::string ShiftUnique();
  std::string UseTwin();
  std::string ChangeIdentity();
  std::string ChangeNothing();
  std::string NoSetting();

  const RandomSchema& schema_;
  const RandomTable& table_;
  Dice& dice_;
  const std::string name_;
  std::vector<const RandomColumn*> inserted_;
  std::vector<const RandomColumn*> set_;  // By ordinary updates.
};

}  // namespace walferry

#endif  // TESTS_DIFFERENTIAL_RANDOM_STATEMENT_H_

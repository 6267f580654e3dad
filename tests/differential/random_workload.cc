#include "tests/differential/random_workload.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/differential/random_statement.h"

namespace walferry {
namespace {

std::string DrawTruncate(const RandomSchema& schema, Dice& dice) {
  std::string tables = absl::StrCat("public.", dice.OneOf(schema.tables).name);
  if (dice.Chance(30)) {
    absl::StrAppend(&tables, ", public.", dice.OneOf(schema.tables).name);
  }
  return absl::StrCat("TRUNCATE ", tables,
                      dice.Chance(30) ? " RESTART IDENTITY" : "",
                      dice.Chance(70) ? " CASCADE" : "");
}

class TransactionDice {
 public:
  TransactionDice(const RandomSchema& schema, bool late_columns, Dice& dice)
      : schema_(schema), late_columns_(late_columns), dice_(dice) {
    // The same rows over and over.
    for (int table = dice.Pick(1, 3); table > 0; --table) {
      tables_.push_back(&dice.OneOf(schema.tables));
    }
  }

  RandomTransaction Draw() {
    transaction_.begin =
        dice_.Chance(90) ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ";
    transaction_.guarded = dice_.Chance(70);
    transaction_.commit = dice_.Chance(93);
    const int size = dice_.Pick(1, 10);
    AddStatements(size <= 6 ? dice_.Pick(1, 3) : dice_.Pick(4, 25),
                  /*big_percent=*/size == 10 ? 40 : 7);
    return std::move(transaction_);
  }

 private:
  void AddStatements(int count, int big_percent) {
    for (int statement = 0; statement < count; ++statement) {
      if (dice_.Chance(6)) {
        AddSavepoint(big_percent);
      } else if (dice_.Chance(1)) {
        transaction_.statements.push_back(DrawTruncate(schema_, dice_));
      } else {
        StatementDice table(schema_, *dice_.OneOf(tables_), late_columns_,
                            dice_);
        for (std::string& sql :
             dice_.Chance(big_percent) ? table.DrawBig() : table.DrawSmall()) {
          transaction_.statements.push_back(std::move(sql));
        }
      }
    }
  }

  void AddSavepoint(int big_percent) {
    const std::string name = absl::StrCat("s", ++savepoints_);
    transaction_.statements.push_back(absl::StrCat("SAVEPOINT ", name));
    AddStatements(dice_.Pick(1, 4), big_percent);
    transaction_.statements.push_back(
        absl::StrCat(dice_.Chance(60) ? "ROLLBACK TO " : "RELEASE ", name));
  }

  const RandomSchema& schema_;
  const bool late_columns_;
  Dice& dice_;
  std::vector<const RandomTable*> tables_;
  int savepoints_ = 0;
  RandomTransaction transaction_;
};

}  // namespace

RandomSession DrawSession(const RandomSchema& schema, bool late_columns,
                          int transactions, Dice& dice) {
  RandomSession session;
  for (int count = 0; count < transactions; ++count) {
    session.push_back(TransactionDice(schema, late_columns, dice).Draw());
  }
  return session;
}

}  // namespace walferry

#include "bench/copy/sample_database.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"

namespace walferry {
namespace {

constexpr double kNarrowRows = 5'000'000;
constexpr double kWideRows = 200'000;
constexpr int kWideTables = 4;

int64_t Scaled(double rows, double scale) {
  return std::max<int64_t>(1, static_cast<int64_t>(rows * scale));
}

SampleTable Narrow(double scale) {
  return {.name = "payments",
          .create =
              "CREATE TABLE payments (id bigint NOT NULL, customer integer "
              "NOT NULL, amount numeric(12,2) NOT NULL, state smallint NOT "
              "NULL, at timestamptz NOT NULL)",
          .fill = absl::Substitute(
              "INSERT INTO payments SELECT i, hashint8(i) & 1048575, "
              "(hashint8(i + 1) & 16777215) / 100.0, hashint8(i + 2) & 7, "
              "'2024-01-01 UTC'::timestamptz + i * interval '7.5 s' "
              "FROM generate_series(1, $0) i",
              Scaled(kNarrowRows, scale)),
          .indexes = {{"payments_pkey", "id", true},
                      {"payments_customer", "customer"},
                      {"payments_amount", "amount"},
                      {"payments_at", "at"},
                      {"payments_state", "state"}}};
}

// A row is 1 kB of what does not compress to nothing.
SampleTable Wide(int number, double scale) {
  const std::string name = absl::StrCat("documents_", number);
  return {.name = name,
          .create = absl::Substitute(
              "CREATE TABLE $0 (id integer NOT NULL, code text NOT NULL, body "
              "text NOT NULL)",
              name),
          .fill = absl::Substitute(
              "INSERT INTO $0 SELECT i, md5('$1 ' || i), (SELECT string_agg("
              "md5(i || ' $1 ' || j), ' ') FROM generate_series(1, 28) j) "
              "FROM generate_series(1, $2) i",
              name, number, Scaled(kWideRows, scale)),
          .indexes = {{absl::StrCat(name, "_pkey"), "id", true},
                      {absl::StrCat(name, "_code"), "code"}}};
}

}  // namespace

std::vector<SampleTable> SampleDatabase(double scale) {
  std::vector<SampleTable> tables = {Narrow(scale)};
  for (int number = 1; number <= kWideTables; ++number) {
    tables.push_back(Wide(number, scale));
  }
  return tables;
}

std::string CreateIndexSql(const SampleTable& table, const SampleIndex& index) {
  return absl::Substitute("CREATE $0INDEX $1 ON $2 ($3)",
                          index.primary ? "UNIQUE " : "", index.name,
                          table.name, index.column);
}

std::string MakeKeysSql(const std::vector<SampleTable>& tables) {
  std::string sql;
  for (const SampleTable& table : tables) {
    for (const SampleIndex& index : table.indexes) {
      if (!index.primary) continue;
      absl::SubstituteAndAppend(
          &sql, "ALTER TABLE $0 ADD PRIMARY KEY USING INDEX $1;", table.name,
          index.name);
    }
  }
  return sql;
}

}  // namespace walferry

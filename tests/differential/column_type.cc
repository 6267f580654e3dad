#include "tests/differential/column_type.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace walferry {
namespace {

std::vector<ColumnType> MakeColumnTypes() {
  std::vector<ColumnType> types = {
      {.name = "int", .value = "#", .key = true},
      {.name = "bigint", .value = "# + 3000000000", .key = true},
      {.name = "text",
       .value = R"((ARRAY['', 'a b', '"', '\', '(,)', 'ü', 'NULL', '{}'])
                   [1 + # % 8] || '-' || #)",
       .key = true},
      {.name = "numeric",
       .value = "(#::text || (ARRAY['', '.0', '.50'])[1 + # % 3])::numeric",
       .key = true,
       .equal_is_identical = false,
       .twin = "CASE scale(#) WHEN 0 THEN # * 1.0 ELSE trim_scale(#) END"},
      {.name = "uuid", .value = "md5(#::text)::uuid", .key = true},
      {.name = "varchar(40)", .value = "'v''' || #", .key = true},
      {.name = "char(9)", .value = "'c ' || #", .key = true},
      {.name = "smallint", .value = "# % 30000", .key = true},
      {.name = "numeric(20,3)", .value = "# / 8.0", .key = true},
      {.name = "float8",
       .value = "CASE # % 9 WHEN 0 THEN # / 7.0 ELSE # END",
       .key = true,
       .equal_is_identical = false,
       .twin = "CASE WHEN # = 0 THEN -# ELSE # END"},
      {.name = "date", .value = "date '1999-12-31' + #", .key = true},
      {.name = "timestamp",
       .value = "timestamp '0044-03-15 BC' + # * interval '1 hour 1 us'",
       .key = true},
      {.name = "timestamptz",
       .value = "timestamptz '2026-03-29 00:00+00' + # * interval '7 min'",
       .key = true},
      {.name = "bytea", .value = "decode(md5(#::text), 'hex')", .key = true},
      {.name = "jsonb",
       .value = R"(jsonb_build_object('n', #, 'q', '"', 'l', NULL))",
       .key = true},
      {.name = "int[]", .value = "ARRAY[#, NULL, # % 3]", .key = true},
      {.name = "public.ints",
       .value = "ARRAY[# % 2, #]",
       .key = true,
       .portable = false},
      {.name = "public.pair",
       .value = R"(ROW(#, 'x,"\' || #))",
       .key = true,
       .portable = false},
      {.name = "public.amount",
       .value = "# + 0.25",
       .key = true,
       .portable = false},
      {.name = "public.code",
       .value = "'c-' || #",
       .key = true,
       .portable = false},
      {.name = "int4range", .value = "int4range(#, # + 2)", .key = true},
      {.name = "bit(32)", .value = "#::bit(32)", .key = true},
      {.name = "inet", .value = "inet '10.0.0.0' + #", .key = true},
      {.name = "oid", .value = "#::oid", .key = true},
      {.name = "pg_lsn",
       .value = "'0/FFFFFFF0'::pg_lsn + #",
       .key = true,
       .portable = false},
      {.name = "boolean", .value = "# % 2 = 0"},
      {.name = "float4",
       .value = "(ARRAY['NaN', '-0', '0', '1e-30', '0.1'])[1 + # % 5]",
       .equal_is_identical = false},
      {.name = "time", .value = "time '23:59' + # * interval '13 us'"},
      {.name = "timetz", .value = "timetz '12:00+00' + # * interval '1 hour'"},
      {.name = "interval",
       .value = "make_interval(months => # % 2, days => 30 * (# % 3), secs => "
                "# / 10.0)",
       .equal_is_identical = false,
       .portable = false},
      {.name = "json",
       .value = R"(json_build_object('n', #, 'q', '\"'))",
       .equality = false},
      {.name = "text[]",
       .value = R"(ARRAY['a,b', NULL, '', 'NULL', '"' || #])"},
      {.name = "public.mood",
       .value = R"((ARRAY['sad', 'ok', 'very "happy", \'])[1 + # % 3])",
       .portable = false},
      {.name = "public.mood[]",
       .value = R"(ARRAY['ok', NULL, (ARRAY['sad', 'very "happy", \'])
                   [1 + # % 2]]::public.mood[])",
       .portable = false},
      {.name = "public.feeling",
       .value = "(ARRAY['sad', 'ok'])[1 + # % 2]",
       .portable = false},
      {.name = "point", .value = "point(#, # / 3.0)", .equality = false},
      {.name = "money",
       .value = "(# / 4.0)::numeric::money",
       .portable = false},
      {.name = "tsvector", .value = "to_tsvector('simple', 'it''s ' || #)"},
      {.name = "int4multirange",
       .value = "int4multirange(int4range(#, # + 1), int4range(# + 5, NULL))"},
      {.name = "\"char\"",
       .value = "(ARRAY['', 'a', '\"'])[1 + # % 3]",
       .portable = false},
      {.name = "varbit",
       .value = "substring(#::bit(12)::varbit FOR 1 + # % 12)"},
      {.name = "aclitem", .value = "'postgres=r/postgres'", .portable = false},
  };
  const std::vector<ColumnType> external = {
      {.name = "text",
       .value = "CASE # % 3 WHEN 0 THEN 'short ' || # ELSE "
                "repeat(md5(#::text), 70 + # % 20) END"},
      {.name = "bytea",
       .value = "convert_to(repeat(md5(#::text), 66 + # % 9), 'UTF8')"},
      {.name = "jsonb",
       .value = R"(jsonb_build_object('"', repeat(md5(#::text), 70)))"},
      {.name = "text[]",
       .value = R"(ARRAY[repeat('"\' || md5(#::text), 70), '{', NULL])"},
  };
  for (ColumnType type : external) {
    type.external = true;
    types.push_back(type);
  }
  return types;
}

}  // namespace

std::string CreateTypesSql() {
  return R"sql(
CREATE TYPE public.mood AS ENUM ('sad', 'ok', 'very "happy", \');
CREATE DOMAIN public.feeling AS public.mood;
CREATE DOMAIN public.amount AS numeric CHECK (VALUE >= 0);
CREATE DOMAIN public.code AS text CHECK (length(VALUE) < 100);
CREATE DOMAIN public.ints AS int[];
CREATE TYPE public.pair AS (a int, b text);
)sql";
}

const std::vector<ColumnType>& AllColumnTypes() {
  static const auto& types = *new std::vector<ColumnType>(MakeColumnTypes());
  return types;
}

std::vector<const ColumnType*> KeyTypes(bool portable_only) {
  std::vector<const ColumnType*> types;
  for (const ColumnType& type : AllColumnTypes()) {
    if (type.key && (type.portable || !portable_only)) types.push_back(&type);
  }
  return types;
}

std::vector<const ColumnType*> ValueTypes(bool portable_only) {
  std::vector<const ColumnType*> types;
  for (const ColumnType& type : AllColumnTypes()) {
    if (type.portable || !portable_only) types.push_back(&type);
  }
  return types;
}

const ColumnType& TypeNamed(absl::string_view name) {
  return *std::find_if(
      AllColumnTypes().begin(), AllColumnTypes().end(),
      [name](const ColumnType& type) { return type.name == name; });
}

std::string ValueOf(const ColumnType& type, absl::string_view number) {
  const std::string in_brackets = absl::StrCat("(", number, ")");
  return absl::StrCat("(",
                      absl::StrReplaceAll(type.value, {{"#", in_brackets}}),
                      ")::", type.name);
}

std::string NullableValueOf(const ColumnType& type, absl::string_view number) {
  return absl::StrCat("CASE WHEN (", number, ") % 7 <> 3 THEN ",
                      ValueOf(type, number), " END");
}

}  // namespace walferry

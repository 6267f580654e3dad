#include "tests/differential/schema_sql.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace walferry {
namespace {

using Role = RandomColumn::Role;

// By which a test tells that a target has everything.
constexpr absl::string_view kMarks =
    "CREATE TABLE public.marks (mark int PRIMARY KEY);\n";

// On the targets, what the triggers of random tables note.
constexpr absl::string_view kFired = R"sql(
CREATE TABLE public.fired (tab text, op text, digest text);
CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql
SET search_path = '' AS $$BEGIN
  INSERT INTO public.fired VALUES (TG_TABLE_NAME, TG_OP,
    pg_catalog.md5(pg_catalog.concat(CASE TG_OP WHEN 'DELETE' THEN OLD
                                     ELSE NEW END)));
  RETURN NULL;
END$$;
)sql";

enum class Side { kSource, kTarget };

bool IsOn(Side side, const RandomColumn& column) {
  switch (column.role) {
    case Role::kUnsent:
    case Role::kOwn:
      return (side == Side::kSource) == (column.role == Role::kUnsent);
    case Role::kLate:
      return side == Side::kTarget;
    default:
      return true;
  }
}

std::string NamesOf(const std::vector<const RandomColumn*>& columns,
                    absl::string_view before = "",
                    absl::string_view after = "") {
  return absl::StrJoin(columns, ", ",
                       [&](std::string* out, const RandomColumn* column) {
                         absl::StrAppend(out, before, column->name, after);
                       });
}

std::string Definition(const RandomTable& table, const RandomColumn& column) {
  std::string sql = absl::StrCat(column.name, " ", column.type->name,
                                 column.nullable ? "" : " NOT NULL");
  if (column.role == Role::kOwn) absl::StrAppend(&sql, " DEFAULT 'own'");
  if (column.role == Role::kIdentity) {
    absl::StrAppend(&sql, " GENERATED ALWAYS AS IDENTITY");
  }
  if (column.role == Role::kGenerated) {
    absl::StrAppend(&sql, " GENERATED ALWAYS AS (",
                    table.With(Role::kBase).front()->name, " * 2) STORED");
  }
  return sql;
}

std::string Constraints(const RandomTable& table, Side side) {
  std::string sql;
  const std::string key = NamesOf(table.With(Role::kKey));
  const std::string unique = NamesOf(table.With(Role::kUnique));
  if (table.key_columns > 0 && table.identity != Identity::kIndex &&
      (side == Side::kSource || table.key_on_target)) {
    absl::StrAppend(&sql, ", PRIMARY KEY (", key, ")",
                    table.deferrable_key ? " DEFERRABLE" : "");
  }
  if (unique.empty()) return sql;
  if (table.other_primary_key) {
    return absl::StrCat(sql, ", PRIMARY KEY (", unique, ")");
  }
  switch (table.uniqueness) {
    case Uniqueness::kAtOnce:
    case Uniqueness::kDeferrable:
    case Uniqueness::kDeferred:
      absl::StrAppend(&sql, ", UNIQUE (", unique, ")",
                      table.uniqueness == Uniqueness::kAtOnce ? ""
                      : table.uniqueness == Uniqueness::kDeferrable
                          ? " DEFERRABLE"
                          : " DEFERRABLE INITIALLY DEFERRED");
      break;
    case Uniqueness::kExclusion:
      absl::StrAppend(&sql, ", EXCLUDE USING btree (",
                      NamesOf(table.With(Role::kUnique), "", " WITH ="), ")");
      break;
    case Uniqueness::kExpression:
    case Uniqueness::kPartial:
      break;
  }
  return sql;
}

std::string Indexes(const RandomTable& table) {
  std::string sql;
  const std::vector<const RandomColumn*> unique = table.With(Role::kUnique);
  if (table.identity == Identity::kIndex) {
    absl::StrAppend(&sql, "CREATE UNIQUE INDEX ", table.name, "_key ON public.",
                    table.name, " (", NamesOf(table.With(Role::kKey)), ");\n");
  }
  if (unique.empty()) return sql;
  const std::string index =
      absl::StrCat("CREATE UNIQUE INDEX ON public.", table.name, " (");
  if (table.uniqueness == Uniqueness::kExpression) {
    absl::StrAppend(&sql, index, NamesOf(unique, "(", "::text)"), ");\n");
  } else if (table.uniqueness == Uniqueness::kPartial) {
    absl::StrAppend(&sql, index, NamesOf(unique), ") WHERE length(",
                    unique.front()->name, "::text) % 2 = 0;\n");
  }
  return sql;
}

std::string Partitions(const RandomTable& table, int count) {
  std::string sql;
  for (int part = 0; part < count; ++part) {
    absl::StrAppend(&sql, "CREATE TABLE public.", table.name, "_p", part,
                    " PARTITION OF public.", table.name, " FOR VALUES ");
    if (table.ranges) {
      absl::StrAppend(
          &sql, "FROM (", part == 0 ? "MINVALUE" : absl::StrCat(part * 8),
          ") TO (",
          part + 1 == count ? "MAXVALUE" : absl::StrCat((part + 1) * 8),
          ");\n");
    } else {
      absl::StrAppend(&sql, "WITH (MODULUS ", count, ", REMAINDER ", part,
                      ");\n");
    }
  }
  return sql;
}

std::string ReplicaIdentitySql(const RandomTable& table, int partitions) {
  std::string sql;
  const auto alter = [&](absl::string_view relation) {
    absl::StrAppend(&sql, "ALTER TABLE public.", relation, " REPLICA IDENTITY ",
                    table.identity == Identity::kFull
                        ? "FULL"
                        : absl::StrCat("USING INDEX ", table.name, "_key"),
                    ";\n");
  };
  if (table.identity == Identity::kPrimaryKey) return sql;
  alter(table.name);
  for (int part = 0; part < partitions; ++part) {
    alter(absl::StrCat(table.name, "_p", part));
  }
  return sql;
}

std::string TableSql(const RandomTable& table, Side side,
                     const std::vector<const RandomColumn*>& columns) {
  const int partitions =
      side == Side::kSource ? table.partitions : table.target_partitions;
  std::string sql = absl::StrCat(
      "CREATE TABLE public.", table.name, " (",
      absl::StrJoin(columns, ", ",
                    [&](std::string* out, const RandomColumn* column) {
                      absl::StrAppend(out, Definition(table, *column));
                    }),
      Constraints(table, side), ")");
  if (partitions > 0) {
    absl::StrAppend(&sql, " PARTITION BY ", table.ranges ? "RANGE" : "HASH",
                    " (", table.columns[0].name, ")");
  }
  absl::StrAppend(&sql, ";\n", Partitions(table, partitions), Indexes(table),
                  ReplicaIdentitySql(table, partitions));
  for (const RandomColumn* column : columns) {
    if (!column->type->external) continue;
    absl::StrAppend(&sql, "ALTER TABLE public.", table.name, " ALTER ",
                    column->name, " SET STORAGE EXTERNAL;\n");
  }
  return sql;
}

std::string ForeignKeySql(const RandomSchema& schema, const RandomTable& table,
                          Side side) {
  if (!table.reference.has_value()) return "";
  const RandomTable& parent = schema.tables[table.reference->table];
  // A table that a subscription leaves out would keep the other one from being
  // truncated.
  if (side == Side::kTarget &&
      (!table.reference->on_target || !parent.key_on_target || !table.native)) {
    return "";
  }
  return absl::StrCat("ALTER TABLE public.", table.name, " ADD FOREIGN KEY (",
                      table.With(Role::kReference).front()->name,
                      ") REFERENCES public.", parent.name, " (",
                      parent.columns[0].name, ") ", table.reference->clause,
                      ";\n");
}

}  // namespace

std::string SourceSql(const RandomSchema& schema) {
  std::string sql = absl::StrCat(CreateTypesSql(), kMarks);
  for (const RandomTable& table : schema.tables) {
    std::vector<const RandomColumn*> columns;
    for (const RandomColumn& column : table.columns) {
      if (IsOn(Side::kSource, column)) columns.push_back(&column);
    }
    absl::StrAppend(&sql, TableSql(table, Side::kSource, columns));
  }
  for (const RandomTable& table : schema.tables) {
    absl::StrAppend(&sql, ForeignKeySql(schema, table, Side::kSource));
  }
  return sql;
}

std::string TargetSql(const RandomSchema& schema, Dice& dice) {
  std::string sql = absl::StrCat(CreateTypesSql(), kMarks, kFired);
  for (const RandomTable& table : schema.tables) {
    std::vector<const RandomColumn*> columns;
    for (const RandomColumn& column : table.columns) {
      if (IsOn(Side::kTarget, column)) columns.push_back(&column);
    }
    if (dice.Chance(40)) dice.Shuffle(columns);
    absl::StrAppend(&sql, TableSql(table, Side::kTarget, columns));
    if (!table.trigger) continue;
    absl::StrAppend(&sql,
                    "CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE"
                    " ON public.",
                    table.name,
                    " FOR EACH ROW EXECUTE FUNCTION public.note();\n"
                    "ALTER TABLE public.",
                    table.name, " ENABLE ALWAYS TRIGGER note;\n");
  }
  for (const RandomTable& table : schema.tables) {
    absl::StrAppend(&sql, ForeignKeySql(schema, table, Side::kTarget));
  }
  return sql;
}

std::string PublicationSql(const RandomSchema& schema, absl::string_view name,
                           bool native_only) {
  std::string tables = "public.marks";
  for (const RandomTable& table : schema.tables) {
    if (native_only && !table.native) continue;
    absl::StrAppend(&tables, ", public.", table.name);
    if (!table.Has(Role::kUnsent)) continue;
    std::vector<const RandomColumn*> sent;
    for (const RandomColumn& column : table.columns) {
      if (IsOn(Side::kSource, column) && column.role != Role::kUnsent &&
          column.role != Role::kGenerated) {
        sent.push_back(&column);
      }
    }
    absl::StrAppend(&tables, " (", NamesOf(sent), ")");
  }
  return absl::StrCat("CREATE PUBLICATION ", name, " FOR TABLE ", tables,
                      " WITH (publish_via_partition_root = ",
                      schema.publish_via_partition_root ? "true" : "false",
                      ");\n");
}

std::string AddLateColumnsSql(const RandomSchema& schema) {
  std::string sql;
  for (const RandomTable& table : schema.tables) {
    for (const RandomColumn* column : table.With(Role::kLate)) {
      absl::StrAppend(&sql, "ALTER TABLE public.", table.name, " ADD ",
                      Definition(table, *column), ";\n");
    }
  }
  return sql;
}

std::string FillOwnColumnsSql(const RandomSchema& schema) {
  std::string sql;
  for (const RandomTable& table : schema.tables) {
    // Which of several equal rows is changed is free.
    if (table.key_columns == 0) continue;
    for (const RandomColumn* column : table.With(Role::kOwn)) {
      absl::StrAppend(&sql, "UPDATE public.", table.name, " AS t SET ",
                      column->name, " = md5(t::text);\n");
    }
  }
  return sql;
}

std::string ComparedSql(const RandomSchema& schema, bool late_columns,
                        bool target) {
  std::string sql =
      "DROP SCHEMA IF EXISTS compared, owned CASCADE;\n"
      "CREATE SCHEMA compared;\n";
  for (const RandomTable& table : schema.tables) {
    std::vector<const RandomColumn*> shared;
    for (const RandomColumn& column : table.columns) {
      const bool one_sided = column.role == Role::kUnsent ||
                             column.role == Role::kOwn ||
                             (column.role == Role::kLate && !late_columns);
      if (!one_sided) shared.push_back(&column);
    }
    absl::StrAppend(&sql, "CREATE MATERIALIZED VIEW compared.", table.name,
                    " AS SELECT ", NamesOf(shared), " FROM public.", table.name,
                    ";\n");
  }
  if (!target) return sql;
  absl::StrAppend(&sql,
                  "CREATE SCHEMA owned;\nCREATE MATERIALIZED VIEW owned.fired "
                  "AS SELECT * FROM public.fired;\n");
  for (const RandomTable& table : schema.tables) {
    absl::StrAppend(&sql, "CREATE MATERIALIZED VIEW owned.", table.name,
                    " AS SELECT * FROM public.", table.name, ";\n");
  }
  return sql;
}

}  // namespace walferry

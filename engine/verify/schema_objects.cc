#include "engine/verify/schema_objects.h"

#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "protocol/pg_result.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Of one name only.
std::string Display(absl::string_view name) {
  return ToDisplay({"x", std::string(name)}).substr(2);
}

std::string NameOf(const SchemaQuery& query, const PgResult& rows, int row) {
  const std::string schema(rows.Text(row, 1));
  const std::string relation(rows.Text(row, 2));
  const std::string name(rows.Text(row, 3));
  const absl::string_view detail = rows.Text(row, 4);
  if (schema.empty()) {
    return absl::StrCat(name.empty() ? "" : Display(name), detail);
  }
  if (rows.Text(row, 0) == "operator") {
    return absl::StrCat(Display(schema), ".", name, detail);
  }
  if (query.named_by_schema || relation.empty()) {
    return absl::StrCat(ToDisplay({schema, name}), detail);
  }
  return absl::StrCat(ToDisplay({schema, relation}), ".", Display(name));
}

bool IsExcluded(const SchemaExclusions& exclusions, const SchemaQuery& query,
                const PgResult& rows, int row) {
  const std::string schema(rows.Text(row, 1));
  const std::string needed_schema(rows.Text(row, 5));
  return exclusions.schemas.contains(schema) ||
         exclusions.schemas.contains(needed_schema) ||
         exclusions.relations.contains(
             {schema, std::string(rows.Text(row, 2))}) ||
         (query.named_by_schema &&
          exclusions.relations.contains(
              {schema, std::string(rows.Text(row, 3))})) ||
         exclusions.relations.contains(
             {needed_schema, std::string(rows.Text(row, 6))});
}

SchemaObject ObjectOf(const SchemaQuery& query, const PgResult& rows, int row) {
  SchemaObject object{.kind = std::string(rows.Text(row, 0)),
                      .name = NameOf(query, rows, row),
                      .relation = {std::string(rows.Text(row, 1)),
                                   std::string(rows.Text(row, 2))},
                      .own_name = {std::string(rows.Text(row, 1)),
                                   std::string(rows.Text(row, 3))}};
  int column = 7;
  for (const SchemaFacet& facet : query.facets) {
    object.facets.emplace(facet.name, rows.Text(row, column++));
  }
  return object;
}

std::vector<SchemaQuery> AllQueries(const SchemaQueryContext& context) {
  std::vector<SchemaQuery> all;
  for (auto* const queries :
       {DatabaseQueries, TypeQueries, TableQueries, TablePartQueries,
        RoutineQueries, TextSearchQueries}) {
    std::vector<SchemaQuery> some = queries(context);
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace

absl::StatusOr<SchemaObjects> ReadSchemaObjects(
    PgConnection& connection, const SchemaQueryContext& context,
    const SchemaExclusions& exclusions) {
  SchemaObjects objects;
  for (const SchemaQuery& query : AllQueries(context)) {
    const absl::StatusOr<PgResult> rows = connection.Exec(query.Sql());
    if (!rows.ok()) {
      return Annotate(rows.status(),
                      absl::StrCat("objects of kind ", query.kind));
    }
    for (int row = 0; row < rows->rows(); ++row) {
      if (IsExcluded(exclusions, query, *rows, row)) continue;
      SchemaObject object = ObjectOf(query, *rows, row);
      // No two have a name, but for those that the catalogs let be.
      while (objects.contains({object.kind, object.name})) {
        absl::StrAppend(&object.name, " (another)");
      }
      const std::pair key(object.kind, object.name);
      objects.emplace(key, std::move(object));
    }
  }
  return objects;
}

}  // namespace walferry

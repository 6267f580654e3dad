#include "engine/verify/schema_compare.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/catalog/catalog.h"
#include "engine/verify/object_differences.h"
#include "engine/verify/schema_objects.h"
#include "engine/verify/sequence_values.h"
#include "protocol/pg_result.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Defaults and bounds of partitions hold dates and numbers, which the session's
// settings may write in several ways. Names in one encoding, as the databases'
// may differ.
constexpr char kSettings[] = R"sql(
  SET LOCAL search_path = '';
  SET LOCAL client_encoding = 'UTF8';
  SET LOCAL DateStyle = 'ISO, YMD';
  SET LOCAL IntervalStyle = 'postgres';
  SET LOCAL TimeZone = 'UTC';
  SET LOCAL extra_float_digits = 3;
  SET LOCAL bytea_output = 'hex';
  SET LOCAL lc_monetary = 'C';
  SET LOCAL quote_all_identifiers = off;
  SET LOCAL standard_conforming_strings = on;
)sql";

// One side's session, with settings of ours until End().
class Reading {
 public:
  Reading(PgConnection& session, absl::string_view side)
      : session_(session), side_(side), nested_(session.in_transaction()) {}

  absl::Status Begin() {
    return Annotated(
        session_
            .Exec(absl::StrCat(
                nested_ ? "SAVEPOINT walferry_schema"
                        : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                ";", kSettings))
            .status());
  }

  absl::Status End() {
    return Annotated(session_
                         .Exec(nested_
                                   ? "ROLLBACK TO SAVEPOINT walferry_schema;"
                                     "RELEASE SAVEPOINT walferry_schema"
                                   : "ROLLBACK")
                         .status());
  }

  absl::Status Annotated(const absl::Status& status) const {
    return status.ok() ? status : Annotate(status, side_);
  }

  PgConnection& session() { return session_; }

 private:
  PgConnection& session_;
  const absl::string_view side_;
  const bool nested_;
};

// Kind, how many.
constexpr char kNotCompared[] =
    "SELECT 'publications', count(*) FROM pg_publication"
    " UNION ALL SELECT 'subscriptions', count(subname) FROM pg_subscription"
    " WHERE subdbid = (SELECT oid FROM pg_database WHERE datname ="
    " current_database())"
    " UNION ALL SELECT 'security labels', count(*) FROM pg_seclabel";

absl::Status AddRemarks(Reading& source, SchemaComparison& comparison) {
  ASSIGN_OR_RETURN(const PgResult rows, source.session().Exec(kNotCompared));
  for (int row = 0; row < rows.rows(); ++row) {
    if (rows.Text(row, 1) == "0") continue;
    comparison.remarks.push_back(
        absl::StrCat(rows.Text(row, 0), " are not compared: the source has ",
                     rows.Text(row, 1)));
  }
  return absl::OkStatus();
}

struct Sides {
  Reading source;
  Reading target;
};

SchemaExclusions ExclusionsOf(const Catalog& source, const Catalog& target,
                              const SchemaCompareOptions& options) {
  SchemaExclusions exclusions;
  for (const Catalog* const catalog : {&source, &target}) {
    exclusions.schemas.insert(catalog->excluded_schemas.begin(),
                              catalog->excluded_schemas.end());
    exclusions.relations.insert(catalog->excluded_tables.begin(),
                                catalog->excluded_tables.end());
  }
  exclusions.schemas.insert(options.ledger_schema);
  return exclusions;
}

std::vector<CatalogSequence> OnBoth(const Catalog& source,
                                    const Catalog& target,
                                    const SchemaExclusions& exclusions) {
  absl::flat_hash_set<QualifiedName> there;
  for (const CatalogSequence& sequence : target.sequences) {
    there.insert(sequence.name);
  }
  std::vector<CatalogSequence> both;
  for (const CatalogSequence& sequence : source.sequences) {
    if (there.contains(sequence.name) &&
        !exclusions.schemas.contains(sequence.name.schema)) {
      both.push_back(sequence);
    }
  }
  return both;
}

bool ActsOnRows(const ObjectDifference& object) {
  return object.kind == "trigger" || object.kind == "rule" ||
         (object.kind == "constraint" &&
          absl::StrContains(object.source, "FOREIGN KEY"));
}

// What is there too early, or otherwise, is a difference all the same.
void LeaveOutWhatComesLater(const SchemaCompareOptions& options,
                            SchemaComparison& comparison) {
  comparison.remarks.push_back(
      "values of sequences are not compared: the cutover sets them");
  std::vector<ObjectDifference>& found = comparison.differences;
  const auto remove = [&found](auto which, absl::string_view remark,
                               std::vector<std::string>& remarks) {
    const size_t before = found.size();
    found.erase(std::remove_if(found.begin(), found.end(), which), found.end());
    if (found.size() < before) remarks.emplace_back(remark);
  };
  remove(
      [](const ObjectDifference& object) {
        return object.kind == "materialized view" &&
               object.what == "is not populated on the target";
      },
      "that materialized views are not populated is not reported: the cutover "
      "fills them",
      comparison.remarks);
  if (!options.triggers_come_later) return;
  remove(
      [](const ObjectDifference& object) {
        return ActsOnRows(object) && object.target.empty();
      },
      "triggers, rules and foreign keys that are missing on the target are not "
      "reported: the cutover creates them",
      comparison.remarks);
}

absl::StatusOr<SchemaComparison> Compare(Sides& sides, const Scope& scope,
                                         const SchemaCompareOptions& options) {
  PgConnection& source = sides.source.session();
  PgConnection& target = sides.target.session();
  const auto catalog_of = [&](Reading& side) -> absl::StatusOr<Catalog> {
    auto catalog = ReadCatalog(side.session(), scope, CatalogSizes::kNo);
    if (!catalog.ok()) return side.Annotated(catalog.status());
    return catalog;
  };
  ASSIGN_OR_RETURN(const Catalog here, catalog_of(sides.source));
  ASSIGN_OR_RETURN(const Catalog there, catalog_of(sides.target));
  const SchemaExclusions exclusions = ExclusionsOf(here, there, options);
  const int oldest = std::min(source.server_version(), target.server_version());
  const auto objects_of = [&](Reading& side) -> absl::StatusOr<SchemaObjects> {
    auto objects =
        ReadSchemaObjects(side.session(),
                          {.version = side.session().server_version(),
                           .oldest = oldest,
                           .privileges = options.privileges,
                           .owners = options.owners},
                          exclusions);
    if (!objects.ok()) return side.Annotated(objects.status());
    return objects;
  };
  ASSIGN_OR_RETURN(const SchemaObjects ours, objects_of(sides.source));
  ASSIGN_OR_RETURN(const SchemaObjects theirs, objects_of(sides.target));
  SchemaComparison comparison;
  CompareSchemaObjects({ours, source.server_version()},
                       {theirs, target.server_version()}, comparison);
  if (options.before_cutover) LeaveOutWhatComesLater(options, comparison);
  if (scope.options().carries_rows() && !options.before_cutover) {
    ASSIGN_OR_RETURN(
        std::vector<ObjectDifference> values,
        CompareSequenceValues(source, target, OnBoth(here, there, exclusions)));
    std::move(values.begin(), values.end(),
              std::back_inserter(comparison.differences));
  }
  RETURN_IF_ERROR(AddRemarks(sides.source, comparison));
  std::stable_sort(
      comparison.differences.begin(), comparison.differences.end(),
      [](const ObjectDifference& one, const ObjectDifference& other) {
        return std::tie(one.kind, one.object) <
               std::tie(other.kind, other.object);
      });
  for (ObjectDifference& difference : comparison.differences) {
    if (difference.kind == "database") difference.object = source.dbname();
  }
  return comparison;
}

}  // namespace

absl::StatusOr<SchemaComparison> CompareSchemas(
    PgConnection& source, PgConnection& target, const Scope& scope,
    const SchemaCompareOptions& options) {
  Sides sides{Reading(source, "source"), Reading(target, "target")};
  RETURN_IF_ERROR(sides.source.Begin());
  absl::Status begun = sides.target.Begin();
  absl::StatusOr<SchemaComparison> comparison =
      begun.ok() ? Compare(sides, scope, options) : begun;
  for (Reading* const side : {&sides.source, &sides.target}) {
    if (side->session().broken() || !side->session().in_transaction()) continue;
    const absl::Status ended = side->End();
    if (comparison.ok() && !ended.ok()) comparison = ended;
  }
  return comparison;
}

}  // namespace walferry

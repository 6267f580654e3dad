#include "tests/testing/database_equal.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr size_t kRowsShown = 3;
constexpr size_t kBytesOfRowShown = 300;

// Ends what is open, and opens the snapshot in which all is read.
constexpr char kPrepare[] = R"sql(
  ROLLBACK;
  SET search_path = '';
  SET client_encoding = 'UTF8';
  SET DateStyle = 'ISO, YMD';
  SET IntervalStyle = 'postgres';
  SET TimeZone = 'UTC';
  SET extra_float_digits = 3;
  SET bytea_output = 'hex';
  SET xmloption = 'content';
  SET lc_monetary = 'C';
  SET row_security = off;
  SET statement_timeout = 0;
  BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
)sql";

// Schema, relkind, quoted name, column names, quoted column names, and whether
// it can be read.
constexpr char kRelations[] = R"sql(
  SELECT n.nspname, c.relkind, format('%I.%I', n.nspname, c.relname),
         coalesce(string_agg(a.attname, ', ' ORDER BY a.attname::text COLLATE "C"),
                  ''),
         coalesce(string_agg(quote_ident(a.attname), ', '
                             ORDER BY a.attname::text COLLATE "C"), ''),
         c.relispopulated
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attribute a
    ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relkind IN ('r', 'm', 'S') AND c.relpersistence <> 't'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  GROUP BY c.oid, n.nspname, c.relname, c.relkind, c.relispopulated
)sql";

struct Relation {
  bool is_sequence = false;
  // A materialized view that was never refreshed is not.
  bool is_populated = true;
  std::string quoted_name;
  std::string columns;
  // One row's text, and all rows' texts with their digests.
  std::string row;
  std::string digests;
};

std::map<std::string, Relation> RelationsOf(const SqlRows& rows,
                                            const CompareOptions& options) {
  std::map<std::string, Relation> relations;
  for (const SqlRow& row : rows) {
    const std::string& name = *row[2];
    const auto is_listed = [](const std::vector<std::string>& list,
                              const std::string& what) {
      return std::find(list.begin(), list.end(), what) != list.end();
    };
    if (is_listed(options.excluded_relations, name) ||
        is_listed(options.excluded_schemas, *row[0]) ||
        (*row[1] == "S" && !options.sequences)) {
      continue;
    }
    Relation& relation = relations[name];
    relation.is_sequence = *row[1] == "S";
    relation.is_populated = *row[5] == "t";
    relation.quoted_name = *row[2];
    relation.columns = *row[3];
    relation.row = absl::StrCat("ROW(", *row[4], ")::text");
    // In UTF-8, because the databases' encodings may differ.
    relation.digests =
        absl::StrCat("(SELECT ", relation.row, " AS row, md5(convert_to(",
                     relation.row, ", 'UTF8')) AS digest FROM ONLY ",
                     relation.quoted_name, ") AS digests");
  }
  return relations;
}

// One side of a comparison.
struct Database {
  std::map<std::string, Relation> relations;
  DatabaseFingerprint fingerprint;
};

absl::StatusOr<TableFingerprint> FingerprintTable(SqlConnection& connection,
                                                  const Relation& table) {
  if (!table.is_populated) {
    return TableFingerprint{.columns = table.columns, .hash = "not populated"};
  }
  // A sum does not depend on the order, and duplicates do not cancel out.
  ASSIGN_OR_RETURN(
      const SqlRows rows,
      connection.Query(absl::StrCat(
          "SELECT count(*),"
          " sum(('x' || left(digest, 16))::bit(64)::bigint::numeric) || ':' ||"
          " sum(('x' || right(digest, 16))::bit(64)::bigint::numeric) FROM ",
          table.digests)));
  TableFingerprint fingerprint{.columns = table.columns,
                               .hash = rows[0][1].value_or("")};
  if (!absl::SimpleAtoi(*rows[0][0], &fingerprint.rows)) {
    return absl::InternalError(absl::StrCat("count: ", *rows[0][0]));
  }
  return fingerprint;
}

absl::StatusOr<Database> ReadDatabase(SqlConnection& connection,
                                      const CompareOptions& options) {
  RETURN_IF_ERROR(connection.Exec(kPrepare));
  ASSIGN_OR_RETURN(const SqlRows rows, connection.Query(kRelations));
  Database database{.relations = RelationsOf(rows, options)};
  for (const auto& [name, relation] : database.relations) {
    if (relation.is_sequence) {
      ASSIGN_OR_RETURN(database.fingerprint.sequences[name],
                       connection.QueryValue(absl::StrCat(
                           "SELECT last_value || ',' || is_called FROM ",
                           relation.quoted_name)));
    } else {
      ASSIGN_OR_RETURN(database.fingerprint.tables[name],
                       FingerprintTable(connection, relation));
    }
  }
  return database;
}

absl::StatusOr<std::multiset<std::string>> DigestsOf(SqlConnection& connection,
                                                     const Relation& table) {
  if (!table.is_populated) return std::multiset<std::string>();
  ASSIGN_OR_RETURN(
      const SqlRows rows,
      connection.Query(absl::StrCat("SELECT digest FROM ", table.digests)));
  std::multiset<std::string> digests;
  for (const SqlRow& row : rows) digests.insert(*row[0]);
  return digests;
}

// The first few rows whose digests `mine` has and `others` does not have.
absl::StatusOr<std::string> RowsOnlyIn(
    absl::string_view side, SqlConnection& connection, const Relation& table,
    const std::multiset<std::string>& mine,
    const std::multiset<std::string>& others) {
  std::vector<std::string> only;
  std::set_difference(mine.begin(), mine.end(), others.begin(), others.end(),
                      std::back_inserter(only));
  std::string text;
  for (size_t shown = 0; shown < std::min(only.size(), kRowsShown); ++shown) {
    ASSIGN_OR_RETURN(std::string row,
                     connection.QueryValue(absl::StrCat(
                         "SELECT row FROM ", table.digests, " WHERE digest = '",
                         only[shown], "' LIMIT 1")));
    if (row.size() > kBytesOfRowShown) {
      row = row.substr(0, kBytesOfRowShown) + "...";
    }
    absl::StrAppend(&text, "  only in ", side, ": ", row, "\n");
  }
  if (only.size() > kRowsShown) {
    absl::StrAppend(&text, "  and ", only.size() - kRowsShown, " more only in ",
                    side, "\n");
  }
  return text;
}

class Comparison {
 public:
  Comparison(SqlConnection& source, SqlConnection& target)
      : source_connection_(source), target_connection_(target) {}

  // What differs, one line each; empty if nothing does.
  absl::StatusOr<std::string> Run(const CompareOptions& options) {
    ASSIGN_OR_RETURN(source_, ReadDatabase(source_connection_, options));
    ASSIGN_OR_RETURN(target_, ReadDatabase(target_connection_, options));
    std::set<std::string> names;
    for (const auto& [name, relation] : source_.relations) names.insert(name);
    for (const auto& [name, relation] : target_.relations) names.insert(name);
    if (names.empty()) return std::string("neither holds anything to compare");
    std::string differences;
    for (const std::string& name : names) {
      ASSIGN_OR_RETURN(const std::string difference, Compare(name));
      differences += difference;
    }
    return differences;
  }

 private:
  absl::StatusOr<std::string> Compare(const std::string& name) {
    const bool in_source = source_.relations.count(name) > 0;
    const bool in_target = target_.relations.count(name) > 0;
    if (!in_source || !in_target) {
      return absl::StrCat(name, ": only in ", in_source ? "source" : "target",
                          "\n");
    }
    const bool is_sequence = source_.relations[name].is_sequence;
    if (is_sequence != target_.relations[name].is_sequence) {
      return absl::StrCat(name, ": a sequence on one side only\n");
    }
    if (is_sequence) return CompareSequences(name);
    return CompareTables(name);
  }

  std::string CompareSequences(const std::string& name) {
    const std::string& source = source_.fingerprint.sequences[name];
    const std::string& target = target_.fingerprint.sequences[name];
    if (source == target) return "";
    return absl::StrCat("sequence ", name, ": ", source, " in source, ", target,
                        " in target\n");
  }

  absl::StatusOr<std::string> CompareTables(const std::string& name) {
    const TableFingerprint& source = source_.fingerprint.tables[name];
    const TableFingerprint& target = target_.fingerprint.tables[name];
    if (source == target) return std::string();
    if (source.columns != target.columns) {
      return absl::StrCat("table ", name, ": columns (", source.columns,
                          ") in source, (", target.columns, ") in target\n");
    }
    ASSIGN_OR_RETURN(const auto source_digests,
                     DigestsOf(source_connection_, source_.relations[name]));
    ASSIGN_OR_RETURN(const auto target_digests,
                     DigestsOf(target_connection_, target_.relations[name]));
    ASSIGN_OR_RETURN(
        const std::string only_in_source,
        RowsOnlyIn("source", source_connection_, source_.relations[name],
                   source_digests, target_digests));
    ASSIGN_OR_RETURN(
        const std::string only_in_target,
        RowsOnlyIn("target", target_connection_, target_.relations[name],
                   target_digests, source_digests));
    if (source_.relations[name].is_populated !=
        target_.relations[name].is_populated) {
      return absl::StrCat("table ", name, ": populated on one side only\n");
    }
    return absl::StrCat("table ", name, ": ", source.rows, " rows in source, ",
                        target.rows, " in target\n", only_in_source,
                        only_in_target);
  }

  SqlConnection& source_connection_;
  SqlConnection& target_connection_;
  Database source_;
  Database target_;
};

absl::StatusOr<std::string> Differences(const std::string& source,
                                        const std::string& target,
                                        const CompareOptions& options) {
  ASSIGN_OR_RETURN(SqlConnection source_connection,
                   SqlConnection::Open(source));
  ASSIGN_OR_RETURN(SqlConnection target_connection,
                   SqlConnection::Open(target));
  return Comparison(source_connection, target_connection).Run(options);
}

}  // namespace

absl::StatusOr<DatabaseFingerprint> FingerprintDatabase(
    SqlConnection& connection, const CompareOptions& options) {
  ASSIGN_OR_RETURN(Database database, ReadDatabase(connection, options));
  RETURN_IF_ERROR(connection.Exec("COMMIT"));
  return std::move(database).fingerprint;
}

testing::AssertionResult DatabasesEqual(const std::string& source,
                                        const std::string& target,
                                        const CompareOptions& options) {
  const absl::StatusOr<std::string> differences =
      Differences(source, target, options);
  if (!differences.ok()) {
    return testing::AssertionFailure()
           << "cannot compare: " << differences.status();
  }
  if (differences->empty()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "\n" << *differences;
}

}  // namespace walferry

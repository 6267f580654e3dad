#include "engine/catalog/publication.h"

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/name_some.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

absl::Status Lacking(const std::string& publication, const std::string& what) {
  return WithHint(
      absl::FailedPreconditionError(
          absl::StrCat("source: publication ", publication, " ", what)),
      "let walferry create one (leave out --publication), or alter it");
}

// The target computes them itself and takes no values for them.
absl::Status CheckGeneratedColumns(PgConnection& source,
                                   const std::string& publication,
                                   const std::vector<CatalogTable>& tables) {
  if (source.server_version() < 180000) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const PgResult published,
      source.Exec(absl::StrCat("SELECT FROM pg_catalog.pg_publication WHERE "
                               "pubgencols = 's' AND pubname = ",
                               QuoteLiteral(publication))));
  std::vector<std::string> with_stored;
  for (const CatalogTable& table : tables) {
    for (const CatalogColumn& column : table.columns) {
      if (column.generated != 's') continue;
      with_stored.push_back(ToDisplay(table.name));
      break;
    }
  }
  if (published.rows() == 0 || with_stored.empty()) return absl::OkStatus();
  return Lacking(publication, absl::StrCat("publishes generated columns "
                                           "(publish_generated_columns) of ",
                                           NameSome(with_stored)));
}

// Publishing a table needs a lock (SHARE UPDATE EXCLUSIVE) that vacuums and
// CREATE INDEX CONCURRENTLY may hold for hours.
absl::Status ExplainLockTimeout(PgConnection& source,
                                const std::string& publication,
                                const std::vector<CatalogTable>& tables,
                                const absl::Status& failure) {
  const std::string oids = absl::StrJoin(
      tables, ",", [](std::string* out, const CatalogTable& table) {
        absl::StrAppend(out, table.oid);
      });
  ASSIGN_OR_RETURN(
      const PgResult holder,
      source.Exec(absl::StrCat(
          "SELECT l.relation, l.pid, l.mode, coalesce(' (' || left(a.query, "
          "80) || ')', '') FROM pg_catalog.pg_locks l LEFT JOIN "
          "pg_catalog.pg_stat_activity a USING (pid) WHERE l.locktype = "
          "'relation' AND l.granted AND l.pid <> pg_backend_pid() AND "
          "l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname "
          "= current_database()) AND l.mode NOT IN ('AccessShareLock', "
          "'RowShareLock', 'RowExclusiveLock') AND l.relation = ANY('{",
          oids, "}'::oid[]) ORDER BY l.pid LIMIT 1")));
  const std::string what =
      absl::StrCat("source: publication ", publication, " cannot be created");
  if (holder.rows() == 0) return Annotate(failure, what);
  std::string name;
  for (const CatalogTable& table : tables) {
    if (holder.Text(0, 0) == absl::StrCat(table.oid)) {
      name = ToDisplay(table.name);
    }
  }
  return WithHint(
      WithSqlState(
          absl::AbortedError(absl::StrCat(
              what, ": table ", name, " stays locked by session ",
              holder.Text(0, 1), ", ", holder.Text(0, 2), holder.Text(0, 3))),
          SqlStateOf(failure)),
      "let that session end, or end it with pg_terminate_backend()");
}

}  // namespace

std::string CreatePublicationSql(const std::string& publication,
                                 const std::vector<CatalogTable>& tables) {
  std::vector<std::string> names;
  for (const CatalogTable& table : tables) {
    if (table.copy_data && !table.unlogged) {
      names.push_back(absl::StrCat("ONLY ", Quote(table.name)));
    }
  }
  std::string sql =
      absl::StrCat("CREATE PUBLICATION ", QuoteIdentifier(publication));
  if (!names.empty()) {
    absl::StrAppend(&sql, " FOR TABLE ", absl::StrJoin(names, ", "));
  }
  absl::StrAppend(&sql,
                  " WITH (publish = 'insert, update, delete, truncate', "
                  "publish_via_partition_root = false)");
  return sql;
}

absl::Status CreatePublication(PgConnection& source,
                               const std::string& publication,
                               const std::vector<CatalogTable>& tables,
                               absl::Duration lock_wait) {
  const absl::Status created =
      source
          .Exec(absl::StrCat(
              "BEGIN; SET LOCAL lock_timeout = ",
              absl::ToInt64Milliseconds(lock_wait),
              "; DROP PUBLICATION IF EXISTS ", QuoteIdentifier(publication),
              "; ", CreatePublicationSql(publication, tables), "; COMMIT"))
          .status();
  if (created.ok() || source.broken()) return created;
  RETURN_IF_ERROR(source.Exec("ROLLBACK").status());
  if (SqlStateOf(created) == "55P03") {
    return ExplainLockTimeout(source, publication, tables, created);
  }
  return Annotate(created, absl::StrCat("source: publication ", publication));
}

absl::Status CheckPublications(PgConnection& source,
                               const std::vector<std::string>& publications) {
  for (const std::string& publication : publications) {
    ASSIGN_OR_RETURN(
        PgResult row,
        source.Exec(absl::StrCat(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_publication WHERE "
            "pubname = ",
            QuoteLiteral(publication),
            "), EXISTS (SELECT FROM pg_catalog.pg_publication_tables WHERE "
            "pubname = ",
            QuoteLiteral(publication), ")")));
    if (!row.Bool(0, 0)) {
      return WithHint(
          absl::NotFoundError(absl::StrCat("source: publication ", publication,
                                           " does not exist")),
          "it must be created before the slot: the slot sees it as of the "
          "change that it decodes");
    }
    if (!row.Bool(0, 1)) {
      return WithHint(
          absl::FailedPreconditionError(absl::StrCat(
              "source: publication ", publication, " publishes no table")),
          absl::StrCat("ALTER PUBLICATION ", QuoteIdentifier(publication),
                       " ADD TABLE ..., then create the slot anew"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPublicationCovers(PgConnection& source,
                                    const std::string& publication,
                                    const std::vector<CatalogTable>& tables) {
  RETURN_IF_ERROR(CheckPublications(source, {publication}));
  const std::string name = QuoteLiteral(publication);
  ASSIGN_OR_RETURN(
      PgResult kind,
      source.Exec(absl::StrCat(
          "SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate, "
          "pubviaroot FROM pg_catalog.pg_publication WHERE pubname = ",
          name)));
  if (kind.rows() != 1) {
    return absl::NotFoundError(
        absl::StrCat("source: publication ", publication, " has vanished"));
  }
  if (!kind.Bool(0, 0)) {
    return Lacking(publication,
                   "leaves out an operation: its publish "
                   "parameter must name insert, update, delete "
                   "and truncate");
  }
  if (kind.Bool(0, 1)) {
    return Lacking(publication,
                   "publishes partitions as their root "
                   "(publish_via_partition_root)");
  }
  ASSIGN_OR_RETURN(
      PgResult published,
      source.Exec(absl::StrCat(
          "SELECT schemaname, tablename FROM pg_catalog.pg_publication_tables "
          "WHERE pubname = ",
          name)));
  absl::flat_hash_set<QualifiedName> covered;
  for (int row = 0; row < published.rows(); ++row) {
    covered.insert({std::string(published.Text(row, 0)),
                    std::string(published.Text(row, 1))});
  }
  std::vector<std::string> missing;
  for (const CatalogTable& table : tables) {
    if (table.copy_data && !table.unlogged && !covered.contains(table.name)) {
      missing.push_back(ToDisplay(table.name));
    }
  }
  if (!missing.empty()) {
    return Lacking(publication,
                   absl::StrCat("does not publish ", NameSome(missing)));
  }
  RETURN_IF_ERROR(CheckGeneratedColumns(source, publication, tables));
  if (source.server_version() < 150000) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      PgResult partial,
      source.Exec(absl::StrCat(
          "SELECT r.prrelid::regclass::text FROM "
          "pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p "
          "ON p.oid = r.prpubid WHERE (r.prqual IS NOT NULL OR r.prattrs IS "
          "NOT NULL) AND p.pubname = ",
          name)));
  std::vector<std::string> filtered;
  for (int row = 0; row < partial.rows(); ++row) {
    filtered.emplace_back(partial.Text(row, 0));
  }
  if (filtered.empty()) return absl::OkStatus();
  return Lacking(
      publication,
      absl::StrCat("has a row filter or column list on ", NameSome(filtered)));
}

}  // namespace walferry

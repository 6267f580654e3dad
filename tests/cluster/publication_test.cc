// Publications, and who stands in their way.

#include "engine/catalog/publication.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

TEST(CreatePublication, NamesWhoKeepsATableLockedAndIsDoneOnceHeIsGone) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<PgServer> server,
                       PgServer::Start());
  ASSERT_OK(server->Exec("CREATE TABLE t (i int PRIMARY KEY)"));
  ASSERT_OK_AND_ASSIGN(PgConnection source,
                       PgConnection::Open({.conninfo = server->ConnInfo()}));
  ASSERT_OK_AND_ASSIGN(const Scope scope, Scope::Create({}));
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, ReadCatalog(source, scope));
  ASSERT_OK_AND_ASSIGN(SqlConnection holder,
                       SqlConnection::Open(server->ConnInfo()));
  ASSERT_OK_AND_ASSIGN(const std::string pid,
                       holder.QueryValue("SELECT pg_backend_pid()"));
  ASSERT_OK(holder.Exec("BEGIN"));
  ASSERT_OK(holder.Exec("LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE"));
  EXPECT_THAT(
      CreatePublication(source, "p", catalog.tables, absl::Milliseconds(100)),
      StatusIs(absl::StatusCode::kAborted,
               absl::StrCat("source: publication p cannot be created: table "
                            "public.t stays locked by session ",
                            pid,
                            ", ShareUpdateExclusiveLock (LOCK TABLE t IN SHARE "
                            "UPDATE EXCLUSIVE MODE)")));
  ASSERT_OK(holder.Exec("COMMIT"));
  ASSERT_OK(CreatePublication(source, "p", catalog.tables));
  ASSERT_OK(CreatePublication(source, "p", catalog.tables));
  EXPECT_OK(CheckPublicationCovers(source, "p", catalog.tables));
}

}  // namespace
}  // namespace walferry

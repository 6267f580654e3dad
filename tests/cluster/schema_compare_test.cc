#include "engine/verify/schema_compare.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

// In both databases before anything differs.
constexpr char kSchema[] = R"sql(
  CREATE EXTENSION hstore;
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE DOMAIN amount AS int CONSTRAINT positive CHECK (VALUE > 0);
  CREATE TABLE customers (id int PRIMARY KEY, name varchar(20) NOT NULL,
    CONSTRAINT known CHECK (name IN ('a', 'b')));
  CREATE TABLE orders (id serial PRIMARY KEY, customer int, note text,
    total int DEFAULT 1,
    CONSTRAINT buyer FOREIGN KEY (customer) REFERENCES customers);
  CREATE INDEX orders_note ON orders (note);
  CREATE TABLE parts (day date, n int) PARTITION BY RANGE (day);
  CREATE TABLE parts_1 PARTITION OF parts
    FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
  CREATE SEQUENCE countdown INCREMENT -1;
  CREATE FUNCTION twice(i int) RETURNS int LANGUAGE sql AS 'SELECT 2 * i';
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN RETURN NEW; END';
  CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql
    AS 'BEGIN NULL; END';
  CREATE TRIGGER touch BEFORE UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION touch();
  CREATE RULE also AS ON DELETE TO orders DO ALSO SELECT 1;
  CREATE EVENT TRIGGER watch ON sql_drop EXECUTE FUNCTION on_ddl();
  ALTER EVENT TRIGGER watch DISABLE;
  CREATE POLICY few ON orders USING (id < 10);
  CREATE VIEW cheap AS SELECT id, note FROM orders WHERE total < 5;
  CREATE VIEW one AS SELECT 1 AS i;
  CREATE MATERIALIZED VIEW sums AS SELECT sum(total) FROM orders;
  CREATE STATISTICS often (dependencies) ON customer, note FROM orders;
  CREATE FOREIGN DATA WRAPPER wrapper;
  CREATE SERVER far FOREIGN DATA WRAPPER wrapper OPTIONS (password 'one');
)sql";

// Two databases of one server, new for each test.
class SchemaCompareTest : public ::testing::Test {
 protected:
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    if (server_ == nullptr) {
      ASSERT_OK_AND_ASSIGN(server_, PgServer::Start());
      ASSERT_OK(server_->Exec("CREATE ROLE reader"));
      ASSERT_OK(server_->Exec("CREATE DATABASE planted"));
      ASSERT_OK(server_->Exec(kSchema, "planted"));
    }
    for (const char* const database : {"here", "there"}) {
      ASSERT_OK(server_->Exec(
          absl::StrCat("DROP DATABASE IF EXISTS ", database, " WITH (FORCE)")));
      ASSERT_OK(server_->Exec(
          absl::StrCat("CREATE DATABASE ", database, " TEMPLATE planted")));
    }
  }

  static PgConnection Open(const std::string& database) {
    return PgConnection::Open({.conninfo = server_->ConnInfo(database)})
        .value();
  }

  // "index public.i is not valid on the target [valid -> not valid]".
  std::vector<std::string> Found() {
    PgConnection source = Open("here");
    PgConnection target = Open("there");
    const auto comparison =
        CompareSchemas(source, target, *Scope::Create(scope_), options_);
    EXPECT_OK(comparison);
    if (!comparison.ok()) return {};
    remarks_ = comparison->remarks;
    objects_ = comparison->objects;
    std::vector<std::string> lines;
    for (const ObjectDifference& found : comparison->differences) {
      const bool warning = found.weight == ObjectDifference::Weight::kWarning;
      lines.push_back(absl::StrCat(warning ? "warning: " : "", found.kind, " ",
                                   found.object, " ", found.what, " [",
                                   found.source, " -> ", found.target, "]"));
    }
    return lines;
  }

  inline static std::unique_ptr<PgServer> server_;
  ScopeOptions scope_;
  SchemaCompareOptions options_;
  std::vector<std::string> remarks_;
  int64_t objects_ = 0;
};

struct Planted {
  std::string name;
  std::string source;  // Run there; "": nothing.
  std::string target;
  std::vector<std::string> found;
};

class PlantedDifference : public SchemaCompareTest,
                          public ::testing::WithParamInterface<Planted> {};

TEST_P(PlantedDifference, IsFoundAndNothingElse) {
  if (!GetParam().source.empty()) {
    ASSERT_OK(server_->Exec(GetParam().source, "here"));
  }
  if (!GetParam().target.empty()) {
    ASSERT_OK(server_->Exec(GetParam().target, "there"));
  }
  EXPECT_THAT(Found(), ElementsAreArray(GetParam().found));
}

INSTANTIATE_TEST_SUITE_P(
    OfTables, PlantedDifference,
    ::testing::ValuesIn(std::vector<Planted>{
        {"Nothing", "", "", {}},
        {"TableIsMissing",
         "CREATE TABLE more (id int PRIMARY KEY); CREATE INDEX ON more (id)",
         "",
         {"table public.more is missing on the target [access method heap,"
          " persistence permanent, replica identity default -> ]"}},
        {"TableIsMore",
         "",
         "CREATE TABLE more (i int)",
         {"table public.more is not on the source [ -> access method heap,"
          " persistence permanent, replica identity default]"}},
        {"ColumnIsMissing",
         "ALTER TABLE orders ADD extra int NOT NULL",
         "",
         {"column public.orders.extra is missing on the target [nullability"
          " NOT NULL, type integer -> ]"}},
        {"Default",
         "",
         "ALTER TABLE orders ALTER total SET DEFAULT 2",
         {"column public.orders.total differs in its default [1 -> 2]"}},
        {"Type",
         "",
         "ALTER TABLE parts ALTER n TYPE bigint",
         {"column public.parts.n differs in its type [integer -> bigint]",
          "column public.parts_1.n differs in its type [integer -> bigint]"}},
        {"NotNull",
         "",
         "ALTER TABLE customers ALTER name DROP NOT NULL",
         {"column public.customers.name differs in its nullability [NOT NULL ->"
          " ]"}},
        {"OrderOfColumns",
         "ALTER TABLE parts_1 ADD CHECK (n > 0); CREATE TABLE o (a int, b int)",
         "ALTER TABLE parts_1 ADD CHECK (n > 0); CREATE TABLE o (b int, a int)",
         {"table public.o differs in its order of columns [a, b -> b, a]"}},
        {"StateOfTables",
         "ALTER TABLE orders REPLICA IDENTITY FULL, ENABLE ROW LEVEL SECURITY",
         "",
         {"table public.orders differs in its replica identity [full ->"
          " default]",
          "table public.orders differs in its row security [enabled -> ]"}},
        {"Bounds",
         "",
         "DROP TABLE parts_1; CREATE TABLE parts_1 PARTITION OF parts"
         " FOR VALUES FROM ('2020-01-01') TO ('2022-01-01')",
         {"table public.parts_1 differs in its partition bounds [FOR VALUES"
          " FROM ('2020-01-01') TO ('2021-01-01') -> FOR VALUES FROM"
          " ('2020-01-01') TO ('2022-01-01')]"}},
        {"PartitionIsAlone",
         "",
         "ALTER TABLE parts DETACH PARTITION parts_1",
         {"table public.parts_1 differs in its parents [public.parts -> ]",
          "table public.parts_1 differs in its partition bounds [FOR VALUES"
          " FROM ('2020-01-01') TO ('2021-01-01') -> ]"}},
        {"Comment",
         "COMMENT ON COLUMN orders.note IS 'one'",
         "COMMENT ON COLUMN orders.note IS 'two'",
         {"column public.orders.note differs in its comment [one -> two]"}}}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    OfTheirParts, PlantedDifference,
    ::testing::ValuesIn(std::vector<Planted>{
        {"IndexIsMissing",
         "",
         "DROP INDEX orders_note",
         {"index public.orders_note is missing on the target [CREATE INDEX"
          " orders_note ON public.orders USING btree (note) -> ]"}},
        {"IndexIsInvalid",
         "",
         "UPDATE pg_index SET indisvalid = false"
         " WHERE indexrelid = 'orders_note'::regclass",
         {"index public.orders_note is not valid on the target [valid -> not"
          " valid]"}},
        {"IndexOfAnotherColumn",
         "",
         "DROP INDEX orders_note; CREATE INDEX orders_note ON orders (total)",
         {"index public.orders_note differs in its definition [CREATE INDEX"
          " orders_note ON public.orders USING btree (note) -> CREATE INDEX"
          " orders_note ON public.orders USING btree (total)]"}},
        {"IndexOfAKeyIsInvalid",
         "",
         "UPDATE pg_index SET indisvalid = false"
         " WHERE indexrelid = 'orders_pkey'::regclass",
         {"constraint public.orders.orders_pkey has an index that is not valid"
          " on the target [valid -> not valid]"}},
        {"ClusteredIndex",
         "ALTER TABLE orders CLUSTER ON orders_note",
         "",
         {"index public.orders_note differs in its clustering [clustered ->"
          " ]"}},
        {"ConstraintIsNotValid",
         "",
         "ALTER TABLE orders DROP CONSTRAINT buyer, ADD CONSTRAINT buyer"
         " FOREIGN KEY (customer) REFERENCES customers NOT VALID",
         {"constraint public.orders.buyer is not valid on the target [valid ->"
          " not valid]"}},
        {"ConstraintIsMissing",
         "",
         "ALTER TABLE orders DROP CONSTRAINT buyer",
         {"constraint public.orders.buyer is missing on the target [FOREIGN"
          " KEY (customer) REFERENCES public.customers(id) -> ]"}},
        {"ConstraintIsDeferrable",
         "",
         "ALTER TABLE orders ALTER CONSTRAINT buyer DEFERRABLE",
         {"constraint public.orders.buyer differs in its definition [FOREIGN"
          " KEY (customer) REFERENCES public.customers(id) -> FOREIGN KEY"
          " (customer) REFERENCES public.customers(id) DEFERRABLE]"}},
        {"ConstraintDoesNotFire",
         "",
         "ALTER TABLE customers DISABLE TRIGGER ALL;"
         "ALTER TABLE orders DISABLE TRIGGER ALL;"
         "ALTER TABLE orders ENABLE TRIGGER touch",
         {"constraint public.orders.buyer has disabled triggers on the target"
          " [enabled -> disabled]"}},
        // As a server writes it that has read what another one wrote.
        {"ConstraintReadAgainIsTheSame",
         "",
         "ALTER TABLE customers DROP CONSTRAINT known, ADD CONSTRAINT known"
         " CHECK (((name)::text = ANY (ARRAY[('a'::character varying)::text,"
         " ('b'::character varying)::text])))",
         {}},
        {"ConstraintOfADomain",
         "",
         "ALTER DOMAIN amount DROP CONSTRAINT positive;"
         "ALTER DOMAIN amount ADD CONSTRAINT positive CHECK (VALUE > 1)",
         {"constraint public.amount.positive differs in its definition [CHECK"
          " ((VALUE > 0)) -> CHECK ((VALUE > 1))]"}},
        {"TriggerIsDisabled",
         "",
         "ALTER TABLE orders DISABLE TRIGGER touch",
         {"trigger public.orders.touch is disabled on the target [enabled ->"
          " disabled]"}},
        {"TriggerFiresAlways",
         "ALTER TABLE orders ENABLE ALWAYS TRIGGER touch",
         "",
         {"trigger public.orders.touch differs in its state [always enabled ->"
          " enabled]"}},
        {"RuleIsDisabled",
         "",
         "ALTER TABLE orders DISABLE RULE also",
         {"rule public.orders.also is disabled on the target [enabled ->"
          " disabled]"}},
        {"EventTriggerIsDisabled",
         "ALTER EVENT TRIGGER watch ENABLE",
         "",
         {"event trigger watch is disabled on the target [enabled ->"
          " disabled]"}},
        {"Policy",
         "",
         "ALTER POLICY few ON orders USING (id < 11)",
         {"policy public.orders.few differs in its USING clause [(id < 10) ->"
          " (id < 11)]"}},
        {"Statistics",
         "",
         "DROP STATISTICS often",
         {"statistics public.often is missing on the target [CREATE STATISTICS"
          " public.often (dependencies) ON customer, note FROM public.orders ->"
          " ]"}}}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    OfOtherObjects, PlantedDifference,
    ::testing::ValuesIn(std::vector<Planted>{
        {"Schema",
         "CREATE SCHEMA more",
         "",
         {"schema more is missing on the target [is there -> ]"}},
        {"LabelsOfAnEnum",
         "ALTER TYPE mood ADD VALUE 'new' BEFORE 'ok'",
         "ALTER TYPE mood ADD VALUE 'new'",
         {"type public.mood differs in its labels ['sad', 'new', 'ok' -> 'sad',"
          " 'ok', 'new']"}},
        {"BodyOfAFunction",
         "",
         "CREATE OR REPLACE FUNCTION twice(i int) RETURNS int LANGUAGE sql"
         " AS 'SELECT 3 * i'",
         {"function public.twice(integer) differs in its definition [CREATE OR"
          " REPLACE FUNCTION public.twice(i integer)\n RETURNS integer\n"
          " LANGUAGE sql\nAS $function$SELECT 2 * i$function$\n -> CREATE OR"
          " REPLACE FUNCTION public.twice(i integer)\n RETURNS integer\n"
          " LANGUAGE sql\nAS $function$SELECT 3 * i$function$\n]"}},
        {"View",
         "",
         "CREATE OR REPLACE VIEW one AS SELECT 2 AS i",
         {"view public.one differs in its definition [ SELECT 1 AS i; ->"
          "  SELECT 2 AS i;]"}},
        {"ViewIsNotPopulated",
         "",
         "REFRESH MATERIALIZED VIEW sums WITH NO DATA",
         {"materialized view public.sums is not populated on the target"
          " [populated -> not populated]"}},
        {"Extension",
         "",
         "DROP EXTENSION hstore",
         {"extension hstore is missing on the target [comment data type for"
          " storing sets of (key, value) pairs, schema public, version 1.8 ->"
          " ]"}},
        {"VersionOfAnExtension",
         "",
         "UPDATE pg_extension SET extversion = '1.4' WHERE extname = 'hstore'",
         {"warning: extension hstore differs in its version [1.8 -> 1.4]"}},
        {"ExtensionOfTheTarget",
         "DROP EXTENSION hstore",
         "",
         {"warning: extension hstore is not on the source [ -> comment data"
          " type for storing sets of (key, value) pairs, schema public, version"
          " 1.8]"}},
        {"SecretsAreNotShown",
         "",
         "ALTER SERVER far OPTIONS (SET password 'two')",
         {"server far differs in its options [(not shown) -> (not shown)]"}},
        {"SettingsOfTheDatabase",
         "",
         "ALTER DATABASE there SET work_mem = '5MB'",
         {"warning: database here differs in its settings [ -> "
          "work_mem=5MB]"}}}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    OfSequences, PlantedDifference,
    ::testing::ValuesIn(std::vector<Planted>{
        {"Parameters",
         "",
         "ALTER SEQUENCE countdown CYCLE CACHE 5",
         {"sequence public.countdown differs in its cache [1 -> 5]",
          "sequence public.countdown differs in its cycle [ -> cycle]"}},
        {"BehindTheSource",
         "SELECT setval('orders_id_seq', 7)",
         "SELECT setval('orders_id_seq', 6)",
         {"sequence public.orders_id_seq is behind the source's [7 -> 6]"}},
        {"NotCalled",
         "SELECT setval('orders_id_seq', 7)",
         "SELECT setval('orders_id_seq', 7, false)",
         {"sequence public.orders_id_seq is behind the source's [7 -> 7 (not"
          " called)]"}},
        {"BehindTheSourceDownwards",
         "SELECT setval('countdown', -7)",
         "SELECT setval('countdown', -6)",
         {"sequence public.countdown is behind the source's [-7 -> -6]"}},
        {"AheadOfTheSource",
         "",
         "SELECT nextval('orders_id_seq'), nextval('orders_id_seq')",
         {"warning: sequence public.orders_id_seq is ahead of the source's [1"
          " (not called) -> 2]"}},
        {"BehindItsColumn",
         "INSERT INTO orders (id) VALUES (9); SELECT setval('orders_id_seq',"
         " 9)",
         "INSERT INTO orders (id) VALUES (9); SELECT setval('orders_id_seq',"
         " 8)",
         {"sequence public.orders_id_seq is behind column \"id\" of"
          " public.orders, which goes to 9: it will give values that are there"
          " [9 -> 8]"}},
        {"BehindItsColumnOnTheTargetAlone",
         "",
         "INSERT INTO orders (id) VALUES (9)",
         {"sequence public.orders_id_seq is behind column \"id\" of"
          " public.orders, which goes to 9: it will give values that are there"
          " [1 (not called) -> 1 (not called)]"}},
        {"BehindItsColumnOnBothSides",
         "INSERT INTO orders (id) VALUES (9)",
         "INSERT INTO orders (id) VALUES (9)",
         {"warning: sequence public.orders_id_seq is behind column \"id\" of"
          " public.orders, which goes to 9: it will give values that are there,"
          " as on the source [1 (not called) -> 1 (not called)]"}}}),
    [](const auto& test) { return test.param.name; });

constexpr char kGrants[] =
    "GRANT SELECT ON orders TO reader; GRANT UPDATE (note) ON orders TO reader;"
    "REVOKE EXECUTE ON FUNCTION twice FROM PUBLIC;"
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader";

TEST_F(SchemaCompareTest, ComparesPrivilegesIfAsked) {
  ASSERT_OK(server_->Exec(kGrants, "here"));
  EXPECT_THAT(Found(), IsEmpty());
  options_.privileges = true;
  const std::string rights =
      server_->major_version() >= 17
          ? "DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE,"
            " UPDATE"
          : "DELETE, INSERT, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE";
  EXPECT_THAT(
      Found(),
      ElementsAre(
          "column public.orders.note differs in its privileges [reader: UPDATE"
          " -> ]",
          absl::StrCat("default privileges of postgres on tables is missing on"
                       " the target [privileges reader: SELECT; the owner: ",
                       rights, " -> ]"),
          "function public.twice(integer) differs in its privileges [the owner:"
          " EXECUTE -> PUBLIC: EXECUTE; the owner: EXECUTE]",
          absl::StrCat("table public.orders differs in its privileges [reader:"
                       " SELECT; the owner: ",
                       rights, " -> the owner: ", rights, "]")));
  ASSERT_OK(server_->Exec(kGrants, "there"));
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(SchemaCompareTest, ComparesOwnersIfAsked) {
  ASSERT_OK(server_->Exec("ALTER VIEW cheap OWNER TO reader", "there"));
  EXPECT_THAT(Found(), IsEmpty());
  options_.owners = true;
  EXPECT_THAT(Found(), ElementsAre("view public.cheap differs in its owner"
                                   " [postgres -> reader]"));
}

TEST_F(SchemaCompareTest, LeavesOutTheLedgerAndWhatIsOutOfScope) {
  ASSERT_OK(
      server_->Exec("CREATE SCHEMA walferry; CREATE TABLE walferry.t ();"
                    "CREATE SEQUENCE walferry.s",
                    "there"));
  // Without its key to a table out of scope.
  ASSERT_OK(
      server_->Exec("CREATE SCHEMA other; CREATE TABLE other.t ();"
                    "ALTER TABLE customers ADD x int",
                    "here"));
  ASSERT_OK(server_->Exec("ALTER TABLE orders DROP CONSTRAINT buyer", "there"));
  scope_.exclude_schemas = {"other"};
  scope_.exclude_tables = {"customers"};
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(SchemaCompareTest, SaysWhatItDoesNotCompare) {
  ASSERT_OK(server_->Exec("CREATE PUBLICATION p", "here"));
  EXPECT_THAT(Found(), IsEmpty());
  EXPECT_THAT(remarks_,
              ElementsAre("publications are not compared: the source has 1"));
  EXPECT_GT(objects_, 40);
}

TEST_F(SchemaCompareTest, SaysHowTheDatabasesThemselvesDiffer) {
  ASSERT_OK(server_->Exec("DROP DATABASE there"));
  ASSERT_OK(server_->Exec(
      "CREATE DATABASE there TEMPLATE template0 ENCODING 'LATIN1'"));
  ASSERT_OK(server_->Exec(kSchema, "there"));
  for (const char* const database : {"here", "there"}) {
    ASSERT_OK(server_->Exec("CREATE TABLE U&\"\\00e9\" (U&\"\\00e9\" serial)",
                            database));
  }
  EXPECT_THAT(Found(), ElementsAre("warning: database here differs in its"
                                   " encoding [UTF8 -> LATIN1]"));
}

TEST_F(SchemaCompareTest, LeavesTheSessionsAsTheyWere) {
  PgConnection source = Open("here");
  PgConnection target = Open("there");
  const Scope scope = *Scope::Create({});
  ASSERT_OK(
      source.Exec("SET search_path = public; BEGIN ISOLATION LEVEL"
                  " REPEATABLE READ; SELECT 1"));
  // Not under the transaction's snapshot.
  ASSERT_OK(server_->Exec("CREATE TABLE later ()", "here"));
  ASSERT_OK_AND_ASSIGN(const SchemaComparison comparison,
                       CompareSchemas(source, target, scope, {}));
  EXPECT_THAT(comparison.differences, IsEmpty());
  EXPECT_TRUE(source.in_transaction());
  EXPECT_FALSE(target.in_transaction());
  EXPECT_THAT(source.QueryValue("SHOW search_path"), IsOkAndHolds("public"));
  EXPECT_THAT(target.QueryValue("SHOW search_path"),
              IsOkAndHolds("\"$user\", public"));
}

}  // namespace
}  // namespace walferry

-- A schema with one of (nearly) everything that pg_dump knows, for tests that
-- carry it to another server. Roles are created by the test on both sides:
-- "app owner", reader.

CREATE EXTENSION btree_gist;
CREATE EXTENSION hstore;
COMMENT ON EXTENSION hstore IS 'a comment of our own';

CREATE SCHEMA app AUTHORIZATION "app owner";
CREATE SCHEMA "odd ""schema"".x";
COMMENT ON SCHEMA app IS E'two\nlines; Type: TABLE; Schema: app';
GRANT USAGE ON SCHEMA app TO reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO reader;

CREATE TYPE app.mood AS ENUM ('sad', 'it''s ok', 'happy; really');
CREATE DOMAIN app.positive AS integer CHECK (VALUE > 0);
CREATE TYPE app.point2 AS (x double precision, y double precision);
CREATE TYPE app.float_range AS RANGE (subtype = double precision);
CREATE COLLATION app.german (provider = icu, locale = 'de');
COMMENT ON TYPE app.mood IS 'how it feels';

CREATE FUNCTION app.twice(n integer) RETURNS integer
  LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT CASE WHEN n > 0 THEN n * 2 ELSE n * 2 END; END;
-- Its body looks like a dump script, and quotes what it finds.
CREATE FUNCTION app.tricky() RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
  /* a comment with ' and $x$ and
--
-- TOC entry 1 (class 1259 OID 1)
-- Name: fake; Type: TABLE; Schema: app; Owner: nobody
--
\unrestrict abc
  */
  RETURN $q$
--
-- TOC entry 2 (class 1259 OID 2)
-- Name: fake; Type: TABLE; Schema: app; Owner: nobody
--

\connect elsewhere
$q$ || E'it\'s';
END $body$;
CREATE PROCEDURE app.proc(INOUT a integer) LANGUAGE plpgsql
  AS 'BEGIN a := a + 1; END';
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
REVOKE ALL ON FUNCTION app.twice(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.twice(integer) TO reader;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION app.on_ddl() RETURNS event_trigger LANGUAGE plpgsql
  AS $$ BEGIN RAISE NOTICE 'ddl'; END $$;

CREATE SEQUENCE app.free_numbers AS smallint INCREMENT BY -3 MINVALUE -1000 START -10 CYCLE;
CREATE TABLE app.customers (
  id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME app.customer_numbers START 1000) PRIMARY KEY,
  name text COLLATE app.german NOT NULL,
  mood app.mood DEFAULT 'happy; really',
  score app.positive,
  at app.point2,
  span app.float_range,
  extra hstore,
  full_name text GENERATED ALWAYS AS (name || '!') STORED,
  referrer bigint REFERENCES app.customers (id) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT name_length CHECK (length(name) < 1000)
) WITH (fillfactor = 80);
ALTER TABLE app.customers OWNER TO "app owner";
ALTER TABLE app.customers ALTER COLUMN name SET STATISTICS 500;
ALTER TABLE app.customers ALTER COLUMN extra SET STORAGE EXTERNAL;
COMMENT ON TABLE app.customers IS 'who buys';
COMMENT ON COLUMN app.customers.name IS $$it's a name$$;
GRANT SELECT (id, name), UPDATE (mood) ON app.customers TO reader;
REVOKE INSERT ON app.customers FROM "app owner";
CREATE INDEX customers_lower ON app.customers (lower(name), id);
ALTER INDEX app.customers_lower ALTER COLUMN 1 SET STATISTICS 700;
ALTER TABLE app.customers CLUSTER ON customers_lower;
COMMENT ON INDEX app.customers_lower IS 'for searches; by name';
COMMENT ON CONSTRAINT name_length ON app.customers IS 'not too long';
CREATE STATISTICS app.customer_stats (dependencies, ndistinct) ON name, mood FROM app.customers;
ALTER STATISTICS app.customer_stats SET STATISTICS 250;
CREATE STATISTICS app.expression_stats ON (length(name)) FROM app.customers;

CREATE TABLE app.orders (
  id serial,
  customer bigint NOT NULL,
  number integer NOT NULL,
  note text
);
ALTER TABLE app.orders ADD CONSTRAINT orders_pkey PRIMARY KEY (id) DEFERRABLE;
ALTER TABLE app.orders ADD CONSTRAINT order_customer FOREIGN KEY (customer)
  REFERENCES app.customers (id) ON DELETE CASCADE ON UPDATE SET DEFAULT;
CREATE UNIQUE INDEX orders_number ON app.orders (number);
ALTER TABLE app.orders REPLICA IDENTITY USING INDEX orders_number;
ALTER TABLE app.orders ADD CONSTRAINT note_ok CHECK (note <> 'bad') NOT VALID;
-- The circle: each refers to the other.
ALTER TABLE app.customers ADD COLUMN last_order integer;
ALTER TABLE app.orders ADD CONSTRAINT orders_id_key UNIQUE (id, customer);
ALTER TABLE app.customers ADD CONSTRAINT customer_order FOREIGN KEY (last_order, id)
  REFERENCES app.orders (id, customer) NOT VALID;
COMMENT ON CONSTRAINT customer_order ON app.customers IS 'not checked';

CREATE TABLE app.bookings (
  room integer, during tstzrange,
  CONSTRAINT no_overlap EXCLUDE USING gist (room WITH =, during WITH &&)
);
ALTER TABLE app.bookings REPLICA IDENTITY FULL;
CREATE UNLOGGED TABLE app.scratch (i integer);
ALTER TABLE app.scratch REPLICA IDENTITY NOTHING;

CREATE TABLE app.events (
  id bigint NOT NULL, at timestamptz NOT NULL, kind text,
  PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE app.events_2024 PARTITION OF app.events
  FOR VALUES FROM ('2024-01-01 UTC') TO ('2025-01-01 UTC');
CREATE TABLE app.events_2025 PARTITION OF app.events
  FOR VALUES FROM ('2025-01-01 UTC') TO ('2026-01-01 UTC') PARTITION BY RANGE (id);
CREATE TABLE app.events_2025_a PARTITION OF app.events_2025 FOR VALUES FROM (1) TO (1000);
CREATE TABLE app.events_rest PARTITION OF app.events DEFAULT;
CREATE INDEX events_kind ON app.events (kind);
CREATE TABLE app.event_notes (
  id bigint, at timestamptz, text text,
  CONSTRAINT note_event FOREIGN KEY (id, at) REFERENCES app.events (id, at)
);

CREATE TABLE app.parent (a integer);
CREATE TABLE app.child (b integer) INHERITS (app.parent);
CREATE TABLE "odd ""schema"".x"."table; Type: VIEW
with newline" ("col ""umn" integer PRIMARY KEY, "$1" text, "é" text);
CREATE INDEX "index'; \restrict x" ON "odd ""schema"".x"."table; Type: VIEW
with newline" ("$1");
COMMENT ON TABLE "odd ""schema"".x"."table; Type: VIEW
with newline" IS E'\\connect nowhere\n\\restrict abc';

CREATE VIEW app.order_list WITH (security_barrier) AS
  SELECT o.id, c.name FROM app.orders o JOIN app.customers c ON c.id = o.customer;
-- Needs the primary key: pg_dump makes it in two parts.
CREATE VIEW app.grouped AS SELECT id, name, count(*) FROM app.customers GROUP BY id;
CREATE MATERIALIZED VIEW app.totals AS SELECT customer, count(*) AS n FROM app.orders GROUP BY customer;
CREATE MATERIALIZED VIEW app.grand_total AS SELECT sum(n) AS n FROM app.totals;
CREATE UNIQUE INDEX totals_customer ON app.totals (customer);
CREATE MATERIALIZED VIEW app.never_filled AS SELECT 1 AS one WITH NO DATA;
-- Needs the primary key as well: made after the indexes, and has an index.
CREATE MATERIALIZED VIEW app.late AS SELECT id, name, count(*) AS n FROM app.customers GROUP BY id;
CREATE INDEX late_id ON app.late (id);
COMMENT ON MATERIALIZED VIEW app.late IS 'late';
GRANT SELECT ON app.late TO reader;
CREATE FUNCTION app.late_function(c app.late) RETURNS bigint LANGUAGE sql
  BEGIN ATOMIC SELECT c.n; END;

CREATE TRIGGER touch BEFORE UPDATE ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE TRIGGER off BEFORE INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.orders DISABLE TRIGGER off;
CREATE TRIGGER always_on AFTER INSERT ON app.customers FOR EACH ROW WHEN (NEW.id > 0) EXECUTE FUNCTION app.touch();
ALTER TABLE app.customers ENABLE ALWAYS TRIGGER always_on;
CREATE TRIGGER on_replica AFTER DELETE ON app.customers FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.customers ENABLE REPLICA TRIGGER on_replica;
CREATE TRIGGER per_event AFTER INSERT ON app.events FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.events_2024 DISABLE TRIGGER per_event;
CREATE CONSTRAINT TRIGGER checked AFTER INSERT ON app.bookings DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE TRIGGER on_view INSTEAD OF INSERT ON app.order_list FOR EACH ROW EXECUTE FUNCTION app.touch();
COMMENT ON TRIGGER touch ON app.orders IS 'touches';

CREATE RULE no_delete AS ON DELETE TO app.bookings DO INSTEAD (SELECT 1; SELECT 'a;b');
ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON app.orders FOR SELECT TO reader USING (customer > 0);
COMMENT ON POLICY mine ON app.orders IS 'only some';

CREATE EVENT TRIGGER on_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION app.on_ddl();
COMMENT ON EVENT TRIGGER on_ddl IS 'watches';
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing OPTIONS (host 'x');
CREATE FOREIGN TABLE app.far_away (i integer) SERVER nowhere;
CREATE TEXT SEARCH CONFIGURATION app.plain (COPY = pg_catalog.simple);
CREATE CAST (app.point2 AS text) WITH INOUT;
CREATE OPERATOR app.<-> (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl);

CREATE PUBLICATION must_not_arrive FOR TABLE app.customers;
SELECT pg_catalog.lo_create(4711);

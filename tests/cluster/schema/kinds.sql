-- Kinds of objects, and forms of them, that rich.sql does not have. It is loaded
-- behind that one, and runs from PostgreSQL 14 on.

CREATE SCHEMA kinds;
GRANT ALL ON SCHEMA kinds TO reader WITH GRANT OPTION;

-- Types: a shell, a base type, a range of it, and domains on domains.
CREATE TYPE kinds.only_a_shell;
CREATE TYPE kinds.count;
CREATE FUNCTION kinds.count_in(cstring) RETURNS kinds.count LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION kinds.count_out(kinds.count) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE kinds.count (INPUT = kinds.count_in, OUTPUT = kinds.count_out, LIKE = integer,
  CATEGORY = 'N', PREFERRED = false, DEFAULT = '7', DELIMITER = ';');
COMMENT ON TYPE kinds.count IS 'base';
CREATE TYPE kinds.weekday AS ENUM ('mon', 'wed');
ALTER TYPE kinds.weekday ADD VALUE 'tue' BEFORE 'wed';
CREATE TYPE kinds.pair AS (a integer, b text COLLATE "C");
ALTER TYPE kinds.pair ADD ATTRIBUTE c kinds.weekday;
COMMENT ON COLUMN kinds.pair.a IS 'of a type';
CREATE FUNCTION kinds.day_gap(date, date) RETURNS double precision LANGUAGE sql IMMUTABLE AS 'SELECT ($1 - $2)::float8';
CREATE TYPE kinds.days AS RANGE (subtype = date, subtype_diff = kinds.day_gap, multirange_type_name = kinds.many_days);
CREATE DOMAIN kinds.word AS text COLLATE "C" DEFAULT 'none' NOT NULL CONSTRAINT one_word CHECK (VALUE !~ ' ');
CREATE DOMAIN kinds.short_word AS kinds.word CHECK (length(VALUE) < 10);
ALTER DOMAIN kinds.short_word ADD CONSTRAINT not_empty CHECK (VALUE <> '') NOT VALID;
COMMENT ON CONSTRAINT one_word ON DOMAIN kinds.word IS 'one';
CREATE DOMAIN kinds.words AS kinds.word[];
CREATE DOMAIN kinds.ordered_pair AS kinds.pair CHECK ((VALUE).a > 0);
REVOKE USAGE ON TYPE kinds.weekday FROM PUBLIC;
GRANT USAGE ON DOMAIN kinds.word TO reader;

-- Functions, aggregates, casts, operators, classes and families.
CREATE FUNCTION kinds.many(INOUT a integer, OUT b text, VARIADIC rest text[] DEFAULT ARRAY['x', 'y'])
  LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER LEAKPROOF PARALLEL RESTRICTED COST 7
  SET search_path = kinds, pg_temp SET work_mem = '1MB' AS $$BEGIN b := rest[1]; END$$;
CREATE FUNCTION kinds.table_of(n integer) RETURNS TABLE (i integer, t text) ROWS 5 LANGUAGE sql
  AS 'SELECT i, i::text FROM generate_series(1, n) i';
ALTER FUNCTION kinds.table_of(integer) DEPENDS ON EXTENSION hstore;
CREATE FUNCTION kinds.row_place() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number';
CREATE AGGREGATE kinds.mean(integer) (SFUNC = int4_avg_accum, STYPE = bigint[], FINALFUNC = int8_avg,
  COMBINEFUNC = int4_avg_combine, INITCOND = '{0,0}', MSFUNC = int4_avg_accum, MINVFUNC = int4_avg_accum_inv,
  MSTYPE = bigint[], MFINALFUNC = int8_avg, MINITCOND = '{0,0}', PARALLEL = SAFE);
CREATE AGGREGATE kinds.middle(double precision ORDER BY anyelement) (SFUNC = ordered_set_transition,
  STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE AGGREGATE kinds.place(VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi,
  STYPE = internal, FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL);
COMMENT ON AGGREGATE kinds.mean(integer) IS 'mean';
COMMENT ON PROCEDURE app.proc(integer) IS 'counts';
CREATE FUNCTION kinds.to_count(text) RETURNS kinds.count LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
CREATE CAST (text AS kinds.count) WITH FUNCTION kinds.to_count(text) AS ASSIGNMENT;
CREATE CAST (kinds.count AS integer) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (kinds.count AS integer) IS 'the same bytes';
CREATE FUNCTION kinds.below(kinds.count, kinds.count) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4lt';
CREATE FUNCTION kinds.above(kinds.count, kinds.count) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4gt';
CREATE FUNCTION kinds.equal(kinds.count, kinds.count) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE FUNCTION kinds.compare(kinds.count, kinds.count) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp';
CREATE OPERATOR kinds.< (FUNCTION = kinds.below, LEFTARG = kinds.count, RIGHTARG = kinds.count,
  COMMUTATOR = OPERATOR(kinds.>), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR kinds.> (FUNCTION = kinds.above, LEFTARG = kinds.count, RIGHTARG = kinds.count,
  COMMUTATOR = OPERATOR(kinds.<), RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
CREATE OPERATOR kinds.= (FUNCTION = kinds.equal, LEFTARG = kinds.count, RIGHTARG = kinds.count,
  COMMUTATOR = OPERATOR(kinds.=), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR kinds.!! (FUNCTION = int4abs, RIGHTARG = integer);
COMMENT ON OPERATOR kinds.!! (NONE, integer) IS 'without a left side';
CREATE OPERATOR FAMILY kinds.count_family USING btree;
CREATE OPERATOR CLASS kinds.count_ops DEFAULT FOR TYPE kinds.count USING btree FAMILY kinds.count_family AS
  OPERATOR 1 kinds.<, OPERATOR 3 kinds.=, OPERATOR 5 kinds.>, FUNCTION 1 kinds.compare(kinds.count, kinds.count);
ALTER OPERATOR FAMILY kinds.count_family USING btree ADD OPERATOR 1 < (integer, integer),
  OPERATOR 3 = (integer, integer), OPERATOR 5 > (integer, integer), FUNCTION 1 (integer, integer) btint4cmp(integer, integer);
COMMENT ON OPERATOR FAMILY kinds.count_family USING btree IS 'of two types';
COMMENT ON OPERATOR CLASS kinds.count_ops USING btree IS 'counts';
CREATE OPERATOR FAMILY kinds.empty_family USING hash;

-- Languages, transforms, conversions, access methods.
CREATE FUNCTION kinds.call_handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION kinds.inline_handler(internal) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION kinds.validator(oid) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE TRUSTED LANGUAGE plother HANDLER kinds.call_handler INLINE kinds.inline_handler VALIDATOR kinds.validator;
COMMENT ON LANGUAGE plother IS 'another one';
REVOKE USAGE ON LANGUAGE plother FROM PUBLIC;
CREATE FUNCTION kinds.in_other() RETURNS integer LANGUAGE plother AS 'BEGIN RETURN 1; END';
CREATE TRANSFORM FOR integer LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
COMMENT ON TRANSFORM FOR integer LANGUAGE sql IS 'transforms';
CREATE FUNCTION kinds.transformed(integer) RETURNS integer LANGUAGE sql TRANSFORM FOR TYPE integer AS 'SELECT $1';
CREATE CONVERSION kinds.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE DEFAULT CONVERSION kinds.to_latin FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
COMMENT ON CONVERSION kinds.latin IS 'converts';
CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler;
CREATE ACCESS METHOD gist_too TYPE INDEX HANDLER gisthandler;
COMMENT ON ACCESS METHOD gist_too IS 'like gist';
CREATE OPERATOR CLASS kinds.box_ops DEFAULT FOR TYPE box USING gist_too AS
  OPERATOR 1 <<, OPERATOR 3 &&, OPERATOR 7 @>,
  FUNCTION 1 gist_box_consistent(internal, box, smallint, oid, internal), FUNCTION 2 gist_box_union(internal, internal),
  FUNCTION 5 gist_box_penalty(internal, internal, internal), FUNCTION 6 gist_box_picksplit(internal, internal),
  FUNCTION 7 gist_box_same(box, box, internal);

-- Collations and text search.
CREATE COLLATION kinds.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE COLLATION kinds.bytes (provider = libc, lc_collate = 'C', lc_ctype = 'C');
COMMENT ON COLLATION kinds.any_case IS 'a is A';
CREATE TEXT SEARCH PARSER kinds.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
  LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH TEMPLATE kinds.template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY kinds.dictionary (TEMPLATE = kinds.template, ACCEPT = false);
CREATE TEXT SEARCH CONFIGURATION kinds.search (PARSER = kinds.parser);
ALTER TEXT SEARCH CONFIGURATION kinds.search ADD MAPPING FOR asciiword, word WITH kinds.dictionary, simple;
ALTER TEXT SEARCH CONFIGURATION kinds.search OWNER TO "app owner";
COMMENT ON TEXT SEARCH PARSER kinds.parser IS 'parses';
COMMENT ON TEXT SEARCH TEMPLATE kinds.template IS 'template';
COMMENT ON TEXT SEARCH DICTIONARY kinds.dictionary IS 'words';
COMMENT ON TEXT SEARCH CONFIGURATION kinds.search IS 'searches';

-- Foreign data.
CREATE FUNCTION kinds.validate(text[], oid) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FOREIGN DATA WRAPPER wrapper VALIDATOR kinds.validate OPTIONS (debug 'it''s on');
CREATE SERVER remote TYPE 'a type' VERSION '1.0' FOREIGN DATA WRAPPER wrapper OPTIONS (host 'x', port '1');
CREATE USER MAPPING FOR PUBLIC SERVER remote;
CREATE USER MAPPING FOR reader SERVER remote OPTIONS ("user" 'me', password 'it''s secret');
GRANT USAGE ON FOREIGN SERVER remote TO reader;
GRANT USAGE ON FOREIGN DATA WRAPPER wrapper TO reader;
CREATE FOREIGN TABLE kinds.remote_rows (i integer OPTIONS (name 'j') NOT NULL DEFAULT 1, t text COLLATE "C",
  CONSTRAINT positive CHECK (i > 0)) SERVER remote OPTIONS (name 'rows');
COMMENT ON FOREIGN TABLE kinds.remote_rows IS 'far away';
COMMENT ON FOREIGN DATA WRAPPER wrapper IS 'wraps';
COMMENT ON SERVER remote IS 'is far';
CREATE TRIGGER touch_remote BEFORE INSERT ON kinds.remote_rows FOR EACH ROW EXECUTE FUNCTION app.touch();

-- Tables.
CREATE TABLE kinds.nothing ();
CREATE TABLE kinds.of_pair OF kinds.pair (a WITH OPTIONS PRIMARY KEY, b DEFAULT 'x', CHECK (a > 0));
CREATE TABLE kinds.by_method (b box, c kinds.count) USING heap_too;
CREATE INDEX by_method_box ON kinds.by_method USING gist_too (b);
CREATE INDEX by_method_count ON kinds.by_method (c DESC);
CREATE SEQUENCE kinds.owned_elsewhere AS bigint CACHE 20;
COMMENT ON SEQUENCE kinds.owned_elsewhere IS 'owned by a column';
GRANT USAGE ON SEQUENCE kinds.owned_elsewhere TO reader;
CREATE TABLE kinds.columns (
  id integer GENERATED BY DEFAULT AS IDENTITY (INCREMENT 5 CYCLE) PRIMARY KEY,
  code kinds.short_word, days kinds.days, many kinds.many_days, pairs kinds.ordered_pair, list kinds.words,
  big text, packed text COMPRESSION pglz, folded text COLLATE kinds.any_case UNIQUE,
  twice integer GENERATED ALWAYS AS (app.twice(7)) STORED, number bigint DEFAULT nextval('kinds.owned_elsewhere'),
  search tsvector, dropped integer
) WITH (autovacuum_enabled = false, toast.autovacuum_vacuum_threshold = 77, fillfactor = 50);
ALTER TABLE kinds.columns DROP COLUMN dropped;
ALTER SEQUENCE kinds.owned_elsewhere OWNED BY kinds.columns.number;
ALTER TABLE kinds.columns ALTER big SET STORAGE MAIN, ALTER big SET (n_distinct = -0.5, n_distinct_inherited = 9);
CREATE INDEX columns_search ON kinds.columns USING gist (search tsvector_ops (siglen = 100)) WITH (buffering = off);
CREATE INDEX columns_words ON kinds.columns USING gin (to_tsvector('kinds.search', big)) WITH (fastupdate = off);
CREATE UNIQUE INDEX columns_partial ON kinds.columns (lower(packed) text_pattern_ops DESC NULLS LAST, number)
  INCLUDE (id) WHERE id > 10 AND packed IS NOT NULL;
ALTER INDEX kinds.columns_partial ALTER COLUMN 1 SET STATISTICS 77;
ALTER INDEX kinds.columns_partial DEPENDS ON EXTENSION hstore;
CREATE INDEX columns_brin ON kinds.columns USING brin (id int4_minmax_multi_ops (values_per_range = 16)) WITH (pages_per_range = 8);
CREATE INDEX columns_hash ON kinds.columns USING hash (number);
CREATE STATISTICS kinds.frequent (mcv) ON id, number, (big || packed) FROM kinds.columns;
COMMENT ON STATISTICS kinds.frequent IS 'of an expression';
ALTER STATISTICS kinds.frequent OWNER TO "app owner";
ALTER TABLE kinds.columns ADD CONSTRAINT apart EXCLUDE USING gist (days WITH &&, id WITH =)
  WHERE (id > 0) DEFERRABLE INITIALLY DEFERRED;

-- Inheritance: two parents, defaults and checks of its own.
CREATE TABLE kinds.left_parent (a integer DEFAULT 1 CHECK (a > 0), b text NOT NULL, CONSTRAINT alone CHECK (a < 9) NO INHERIT);
CREATE TABLE kinds.right_parent (b text NOT NULL, c date);
CREATE TABLE kinds.heir (a integer DEFAULT 2, d integer) INHERITS (kinds.left_parent, kinds.right_parent);
ALTER TABLE kinds.heir ALTER b SET DEFAULT 'heir', ADD CONSTRAINT later CHECK (d > 0) NOT VALID;

-- A tree of partitions, three deep; one of them was a table with other places of the columns.
CREATE TABLE kinds.tree (region text NOT NULL, id bigint NOT NULL, at date NOT NULL DEFAULT now(), note text,
  PRIMARY KEY (region, id, at)) PARTITION BY LIST (region);
CREATE TABLE kinds.tree_eu PARTITION OF kinds.tree FOR VALUES IN ('de', 'it''s') PARTITION BY HASH (id);
CREATE TABLE kinds.tree_eu_0 PARTITION OF kinds.tree_eu FOR VALUES WITH (MODULUS 2, REMAINDER 0) PARTITION BY RANGE (at, id);
CREATE TABLE kinds.tree_eu_0_old PARTITION OF kinds.tree_eu_0 (note DEFAULT 'old') FOR VALUES FROM (MINVALUE, MINVALUE) TO ('2020-01-01', 0);
CREATE TABLE kinds.tree_eu_0_rest PARTITION OF kinds.tree_eu_0 DEFAULT WITH (fillfactor = 70);
CREATE TABLE kinds.tree_eu_1 (note text, gone integer, at date NOT NULL, id bigint NOT NULL, region text NOT NULL);
ALTER TABLE kinds.tree_eu_1 DROP COLUMN gone;
ALTER TABLE kinds.tree_eu ATTACH PARTITION kinds.tree_eu_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE kinds.by_expression (id bigint, t text) PARTITION BY RANGE ((id + 1), t COLLATE "C");
CREATE FOREIGN TABLE kinds.far_leaf PARTITION OF kinds.by_expression FOR VALUES FROM (1, MINVALUE) TO (9, 'z') SERVER remote;
CREATE INDEX tree_note ON ONLY kinds.tree (note);
CREATE INDEX tree_eu_note ON kinds.tree_eu (note);
ALTER INDEX kinds.tree_note ATTACH PARTITION kinds.tree_eu_note;
CREATE INDEX tree_eu_1_only ON kinds.tree_eu_1 (note DESC);
ALTER TABLE kinds.tree_eu_1 REPLICA IDENTITY USING INDEX tree_eu_1_pkey;
ALTER TABLE kinds.tree_eu_0_old CLUSTER ON tree_eu_0_old_pkey;
COMMENT ON TABLE kinds.tree_eu_0_old IS 'three deep';
CREATE STATISTICS kinds.tree_stats ON region, note FROM kinds.tree;
CREATE TABLE kinds.leaves (region text, id bigint, at date,
  CONSTRAINT of_tree FOREIGN KEY (region, id, at) REFERENCES kinds.tree MATCH FULL ON DELETE SET NULL DEFERRABLE);
ALTER TABLE kinds.tree ADD COLUMN column_id integer REFERENCES kinds.columns;
ALTER TABLE kinds.tree ADD CONSTRAINT note_checked CHECK (note <> 'bad') NOT VALID;

-- Views: with options, recursive, and two that need each other.
CREATE VIEW kinds.checked AS SELECT id, code, big FROM kinds.columns WHERE id > 0 WITH LOCAL CHECK OPTION;
ALTER VIEW kinds.checked ALTER COLUMN big SET DEFAULT 'of the view';
COMMENT ON VIEW kinds.checked IS 'checked';
COMMENT ON COLUMN kinds.checked.big IS 'with a default';
CREATE RECURSIVE VIEW kinds.numbers (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < 9;
CREATE VIEW kinds.one AS SELECT 1 AS i;
CREATE VIEW kinds.other AS SELECT i FROM kinds.one;
CREATE OR REPLACE VIEW kinds.one AS SELECT i FROM kinds.other;
CREATE FUNCTION kinds.of_view(v kinds.checked) RETURNS integer LANGUAGE sql AS 'SELECT v.id';
CREATE VIEW kinds.calls_it AS SELECT kinds.of_view(c) AS id FROM kinds.checked c;
CREATE MATERIALIZED VIEW kinds.kept WITH (fillfactor = 60) AS SELECT id, code FROM kinds.checked;
CREATE UNIQUE INDEX kept_id ON kinds.kept (id);
ALTER MATERIALIZED VIEW kinds.kept CLUSTER ON kept_id;
GRANT SELECT ON kinds.kept TO reader;

-- Triggers, rules, policies, event triggers.
CREATE TRIGGER per_statement AFTER UPDATE ON kinds.columns REFERENCING OLD TABLE AS before NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION app.touch();
CREATE TRIGGER of_columns BEFORE UPDATE OF big, packed ON kinds.columns FOR EACH ROW
  WHEN (OLD.big IS DISTINCT FROM NEW.big) EXECUTE FUNCTION app.touch('a''b', E'c\\d');
CREATE TRIGGER on_truncate AFTER TRUNCATE ON kinds.columns EXECUTE FUNCTION app.touch();
ALTER TRIGGER on_truncate ON kinds.columns DEPENDS ON EXTENSION hstore;
CREATE CONSTRAINT TRIGGER from_other AFTER INSERT ON kinds.leaves FROM kinds.tree NOT DEFERRABLE
  FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE RULE also AS ON INSERT TO kinds.columns WHERE NEW.id > 5 DO ALSO INSERT INTO kinds.leaves (id) VALUES (NEW.id);
CREATE RULE tells AS ON DELETE TO kinds.columns DO ALSO NOTIFY columns_changed;
CREATE RULE never AS ON UPDATE TO kinds.left_parent DO INSTEAD NOTHING;
ALTER TABLE kinds.left_parent DISABLE RULE never;
CREATE RULE always AS ON DELETE TO kinds.left_parent DO ALSO SELECT OLD.a;
ALTER TABLE kinds.left_parent ENABLE ALWAYS RULE always;
CREATE RULE through AS ON INSERT TO kinds.checked DO INSTEAD INSERT INTO kinds.columns (id, code) VALUES (NEW.id, NEW.code);
COMMENT ON RULE never ON kinds.left_parent IS 'off';
CREATE POLICY strict ON kinds.columns AS RESTRICTIVE FOR UPDATE TO PUBLIC USING (id > 1) WITH CHECK (id > 2);
CREATE POLICY looks_elsewhere ON kinds.columns TO reader, "app owner" USING (EXISTS (SELECT FROM kinds.leaves l WHERE l.id = columns.id));
ALTER TABLE kinds.columns ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE EVENT TRIGGER on_drop ON sql_drop EXECUTE FUNCTION app.on_ddl();
ALTER EVENT TRIGGER on_drop DISABLE;
CREATE EVENT TRIGGER on_rewrite ON table_rewrite EXECUTE FUNCTION app.on_ddl();
ALTER EVENT TRIGGER on_rewrite ENABLE ALWAYS;

-- Default privileges, of a schema and of all.
ALTER DEFAULT PRIVILEGES FOR ROLE "app owner" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON TYPES TO reader;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE "app owner" IN SCHEMA kinds GRANT ALL ON SEQUENCES TO reader WITH GRANT OPTION;

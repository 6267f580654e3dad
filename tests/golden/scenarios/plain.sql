-- Every message that needs no option but `messages`.
@options proto_version '1', messages 'true'

CREATE DOMAIN small AS int CHECK (VALUE < 100);
CREATE TYPE mood AS ENUM ('a', 'b');
CREATE TYPE pair AS (x int, y text);
CREATE TABLE t (id int PRIMARY KEY, v text, d small, m mood, p pair, s text);
ALTER TABLE t ALTER s SET STORAGE EXTERNAL;
CREATE TABLE whole (a int, b text);
ALTER TABLE whole ALTER b SET STORAGE EXTERNAL;
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE coded (id int, code varchar(10) NOT NULL, n numeric(6,2));
CREATE UNIQUE INDEX coded_code ON coded (code);
ALTER TABLE coded REPLICA IDENTITY USING INDEX coded_code;
CREATE TABLE keyless ("Odd ""name""" int);
ALTER TABLE keyless REPLICA IDENTITY NOTHING;
CREATE TABLE nothing ();
CREATE TABLE longkey (id text PRIMARY KEY, v int);
ALTER TABLE longkey ALTER id SET STORAGE EXTERNAL;
CREATE TABLE part (id int, r text, PRIMARY KEY (id, r)) PARTITION BY LIST (r);
CREATE TABLE part_a PARTITION OF part FOR VALUES IN ('a');
CREATE TABLE part_b PARTITION OF part FOR VALUES IN ('b');
CREATE TABLE filtered (id int, n int, doc text, PRIMARY KEY (id, n));
ALTER TABLE filtered ALTER doc SET STORAGE EXTERNAL;
CREATE TABLE listed (id int PRIMARY KEY, hidden text, shown text);
CREATE TABLE generated
  (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED);
CREATE PUBLICATION p
  FOR TABLE t, whole, coded, keyless, nothing, longkey, part, generated
  WITH (publish_via_partition_root = true);
@since 15
ALTER PUBLICATION p ADD TABLE filtered WHERE (n > 10), listed (id, shown);
@since 18
ALTER PUBLICATION p SET (publish_generated_columns = stored);
@start

-- Key changed, toasted value unchanged, NULLs in the key's row.
INSERT INTO t VALUES (1, 'x', 5, 'a', '(1,q)', repeat('z', 2100));
UPDATE t SET v = 'y' WHERE id = 1;
UPDATE t SET id = 2 WHERE id = 1;
DELETE FROM t WHERE id = 2;

-- FULL: the old row has what the new one leaves out.
INSERT INTO whole VALUES (1, repeat('f', 2100)), (NULL, E'tab\tand \\ é');
UPDATE whole SET a = 2 WHERE a = 1;
DELETE FROM whole WHERE a IS NULL;

INSERT INTO coded VALUES (1, 'one', 1.5);
UPDATE coded SET n = 2 WHERE code = 'one';
UPDATE coded SET code = 'two' WHERE code = 'one';
DELETE FROM coded WHERE code = 'two';

INSERT INTO keyless VALUES (1);
INSERT INTO nothing DEFAULT VALUES;

-- A key that is stored out of line comes although it did not change.
INSERT INTO longkey VALUES (repeat('k', 2100), 1);
UPDATE longkey SET v = 2;

-- From one partition to another.
INSERT INTO part VALUES (1, 'a');
UPDATE part SET r = 'b' WHERE id = 1;

-- The filter turns an update into an insert, and one into a delete.
INSERT INTO filtered VALUES (1, 5, repeat('w', 2100));
UPDATE filtered SET n = 20 WHERE id = 1;
UPDATE filtered SET n = 6 WHERE id = 1;
INSERT INTO listed VALUES (1, 'hidden', 'shown');
INSERT INTO generated VALUES (21);

-- A relation repeats after a change of its definition.
BEGIN;
INSERT INTO t (id) VALUES (3);
ALTER TABLE t ADD extra timestamptz DEFAULT '2024-03-01 00:00:00+00';
INSERT INTO t (id) VALUES (4);
SAVEPOINT gone;
INSERT INTO t (id) VALUES (5);
ROLLBACK TO gone;
COMMIT;

TRUNCATE t;
TRUNCATE t, coded RESTART IDENTITY CASCADE;

SELECT pg_logical_emit_message(true, 'pfx', 'hello');
SELECT pg_logical_emit_message(false, 'pfx', 'now');
BEGIN;
INSERT INTO t (id) VALUES (6);
SELECT pg_logical_emit_message(true, 'pfx', 'lost');
SELECT pg_logical_emit_message(false, 'pfx', 'kept');
ROLLBACK;

-- Another server's transaction.
SELECT pg_replication_origin_create('node_b');
SELECT pg_replication_origin_session_setup('node_b');
BEGIN;
SELECT pg_replication_origin_xact_setup('0/ABCDEF', '2024-01-01 00:00:00+00');
INSERT INTO t (id) VALUES (7);
COMMIT;
SELECT pg_replication_origin_session_reset();
SELECT pg_replication_origin_drop('node_b');

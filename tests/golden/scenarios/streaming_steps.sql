CREATE TYPE mood AS ENUM ('a', 'b');
CREATE TABLE t (id int PRIMARY KEY, v text, m mood);
CREATE TABLE other (id int);
ALTER TABLE other REPLICA IDENTITY FULL;
CREATE PUBLICATION p FOR TABLE t, other;
@start

-- Blocks of two transactions and a whole third one between them. One
-- subtransaction stays, two are rolled back: before and after they were sent.
BEGIN;
INSERT INTO t VALUES (1, 'a', 'a');
SELECT fill();
@b
BEGIN;
INSERT INTO t VALUES (2, 'b', 'b');
SELECT fill();
@a
SAVEPOINT stays;
UPDATE t SET v = 'a2' WHERE id = 1;
RELEASE stays;
SAVEPOINT unsent;
INSERT INTO t VALUES (3, 'unsent');
ROLLBACK TO unsent;
SAVEPOINT sent;
INSERT INTO t VALUES (4, 'sent');
INSERT INTO other VALUES (4);
SELECT fill();
@sync
ROLLBACK TO sent;
SELECT pg_logical_emit_message(true, 'pfx', 'in stream');
@c
INSERT INTO t VALUES (5, 'plain');
@b
UPDATE t SET id = 20 WHERE id = 2;
DELETE FROM t WHERE id = 20;
INSERT INTO other VALUES (6);
SELECT fill();
UPDATE other SET id = 7 WHERE id = 6;
DELETE FROM other WHERE id = 7;
COMMIT;
@a
INSERT INTO t VALUES (8, 'a8');
SELECT fill();
COMMIT;

-- All of it rolled back after it was sent.
BEGIN;
INSERT INTO t VALUES (9, 'lost');
SELECT fill();
@sync
ROLLBACK;

-- A truncation, and another server's transaction.
BEGIN;
TRUNCATE other;
SELECT fill();
COMMIT;
SELECT pg_replication_origin_create('node_s');
SELECT pg_replication_origin_session_setup('node_s');
BEGIN;
SELECT pg_replication_origin_xact_setup('0/ABCDEF', '2024-01-01 00:00:00+00');
INSERT INTO t VALUES (10, 'from elsewhere');
SELECT fill();
COMMIT;
SELECT pg_replication_origin_session_reset();
SELECT pg_replication_origin_drop('node_s');

-- Known since the streamed transactions committed: no Relation here.
INSERT INTO t VALUES (11, 'plain again');

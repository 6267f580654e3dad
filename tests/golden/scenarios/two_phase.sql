-- Prepared transactions: committed, rolled back, empty, streamed.
@server 15
@slot two_phase
@options proto_version '3', two_phase 'true', streaming 'true'

CREATE TABLE t (id int PRIMARY KEY, v text);
CREATE TABLE unpublished (v text);
CREATE PUBLICATION p FOR TABLE t;
@start

BEGIN;
INSERT INTO unpublished VALUES ('x');
INSERT INTO t VALUES (1, 'one');
PREPARE TRANSACTION 'g1';
INSERT INTO t VALUES (2, 'between');
COMMIT PREPARED 'g1';

BEGIN;
INSERT INTO t VALUES (3, 'three');
PREPARE TRANSACTION 'g 2';
ROLLBACK PREPARED 'g 2';

-- Nothing of it is published.
BEGIN;
INSERT INTO unpublished VALUES ('x');
PREPARE TRANSACTION '';
COMMIT PREPARED '';

BEGIN;
INSERT INTO t VALUES (4, 'four');
INSERT INTO unpublished SELECT repeat('x', 1000) FROM generate_series(1, 100);
INSERT INTO t VALUES (5, 'five');
PREPARE TRANSACTION 'streamed';
@sync
COMMIT PREPARED 'streamed';

BEGIN;
INSERT INTO t VALUES (6, 'six');
INSERT INTO unpublished SELECT repeat('x', 1000) FROM generate_series(1, 100);
PREPARE TRANSACTION 'streamed';
@sync
ROLLBACK PREPARED 'streamed';

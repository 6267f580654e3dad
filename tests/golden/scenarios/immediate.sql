-- The same as parallel.sql, and every change is a block of its own.
@server 16
@options proto_version '4', streaming 'parallel', messages 'true'
@setting debug_logical_replication_streaming=immediate

CREATE TABLE unpublished (v text);
CREATE FUNCTION fill() RETURNS void LANGUAGE sql AS
  'INSERT INTO unpublished SELECT repeat(''x'', 1000) FROM generate_series(1, 1)';
@include streaming_steps.sql

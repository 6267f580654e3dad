-- The same as streamed.sql for a client that applies streams while they run:
-- aborts then carry their position and time.
@server 16
@options proto_version '4', streaming 'parallel', messages 'true'

CREATE TABLE unpublished (v text);
CREATE FUNCTION fill() RETURNS void LANGUAGE sql AS
  'INSERT INTO unpublished SELECT repeat(''x'', 1000) FROM generate_series(1, 100)';
@include streaming_steps.sql

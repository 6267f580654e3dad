-- Transactions that are sent before they end. logical_decoding_work_mem is
-- 64kB: a hundred rows that nobody sees make the server send what it holds.
@options proto_version '2', streaming 'true', messages 'true'

CREATE TABLE unpublished (v text);
CREATE FUNCTION fill() RETURNS void LANGUAGE sql AS
  'INSERT INTO unpublished SELECT repeat(''x'', 1000) FROM generate_series(1, 100)';
@include streaming_steps.sql

-- Values in the types' own binary form where they have one.
@options proto_version '1', binary 'true'

CREATE TABLE b (
  id int PRIMARY KEY, acl aclitem, small "char", n numeric, t text, j jsonb,
  a int[], flag bool, u uuid, at timestamptz, raw bytea, nothing text);
CREATE PUBLICATION p FOR TABLE b;
@start

INSERT INTO b VALUES (
  1, 'postgres=r/postgres', '\', 1.50, 'é', '{"a": 1}',
  '[0:1]={1,NULL}', true, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  '2024-03-01 00:00:00+00', '\x00ff', NULL);
UPDATE b SET id = 2, t = '' WHERE id = 1;
DELETE FROM b WHERE id = 2;

-- The shop that tools/demo moves: types, keys of every kind, partitions,
-- generated and identity columns, large values, views.
CREATE TYPE order_state AS ENUM ('new', 'paid', 'shipped', 'cancelled');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');

CREATE TABLE customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mail email NOT NULL UNIQUE,
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE products (
  sku text PRIMARY KEY,
  title text NOT NULL,
  price numeric(10, 2) NOT NULL CHECK (price > 0),
  stock int NOT NULL,
  attributes jsonb NOT NULL,
  description text);
CREATE TABLE orders (
  id bigserial,
  day date NOT NULL,
  customer bigint NOT NULL REFERENCES customers,
  state order_state NOT NULL DEFAULT 'new',
  note text,
  PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE orders_2025 PARTITION OF orders
  FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE orders_2026 PARTITION OF orders
  FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE order_items (
  order_id bigint NOT NULL,
  line int NOT NULL,
  sku text NOT NULL REFERENCES products,
  quantity int NOT NULL,
  price numeric(10, 2) NOT NULL,
  total numeric GENERATED ALWAYS AS (quantity * price) STORED,
  PRIMARY KEY (order_id, line));
-- No key: every column identifies a row.
CREATE TABLE audit (at timestamptz, what text, amount numeric);
ALTER TABLE audit REPLICA IDENTITY FULL;

INSERT INTO customers (mail, name)
  SELECT 'customer' || i || '@example.com', md5(i::text)
  FROM generate_series(1, 50000) i;
INSERT INTO products
  SELECT 'sku-' || i, md5(i::text), 1 + i % 500, 100000,
         jsonb_build_object('size', i % 7, 'tags', ARRAY['a', 'b']),
         repeat(md5(i::text), 150)
  FROM generate_series(1, 2000) i;
INSERT INTO orders (day, customer, state)
  SELECT '2025-01-01'::date + i % 700, 1 + i % 50000, 'shipped'
  FROM generate_series(1, 300000) i;
INSERT INTO order_items (order_id, line, sku, quantity, price)
  SELECT i, line, 'sku-' || 1 + (i * line) % 2000, 1 + i % 3, 1 + i % 500
  FROM generate_series(1, 300000) i, generate_series(1, 3) line;

CREATE INDEX ON orders (customer);
CREATE INDEX ON order_items (sku);
CREATE INDEX ON products USING gin (attributes);
CREATE SEQUENCE invoice_numbers START 1000;
CREATE FUNCTION note_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit VALUES (now(), 'order ' || NEW.id, NULL);
  RETURN NEW;
END $$;
CREATE TRIGGER on_payment AFTER UPDATE OF state ON orders
  FOR EACH ROW WHEN (NEW.state = 'paid') EXECUTE FUNCTION note_payment();
CREATE VIEW open_orders AS SELECT * FROM orders WHERE state IN ('new', 'paid');
CREATE MATERIALIZED VIEW sales AS
  SELECT sku, sum(total) AS total FROM order_items GROUP BY sku;
ANALYZE;

-- What each client of the demo's application does, again and again.
\set customer random(1, 50000)
\set product random(1, 2000)
\set old random(1, 300000)
\set dice random(1, 10)
BEGIN;
WITH placed AS (
  INSERT INTO orders (day, customer)
  VALUES ('2026-06-01', :customer) RETURNING id)
INSERT INTO order_items (order_id, line, sku, quantity, price)
  SELECT id, 1, 'sku-' || :product, 1, 9.99 FROM placed;
UPDATE products SET stock = stock - 1 WHERE sku = 'sku-' || :product;
UPDATE orders SET state = 'paid', note = 'invoice ' ||
  nextval('invoice_numbers') WHERE id = :old;
\if :dice = 1
DELETE FROM order_items WHERE order_id = :old AND line = 3;
UPDATE orders SET day = day - 1, state = 'cancelled'
  WHERE id = :old AND day > '2025-01-01';
\endif
COMMIT;

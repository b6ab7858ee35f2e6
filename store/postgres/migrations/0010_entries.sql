-- Rows are looked up by their keys from the first row on, also before anybody has counted the tables: until then an index that begins like
-- the primary key looks as good as that, and would be walked through from end to end. This one begins with another column.
DROP INDEX webhook_deliveries_by_status;
CREATE INDEX webhook_deliveries_by_status ON webhook_deliveries (status, webhook_id, id);

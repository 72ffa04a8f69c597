-- The revision of the database after the step; null is none, before the first one.
ALTER TABLE ops.step ADD COLUMN leads_to text;

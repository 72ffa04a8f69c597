-- Delete rows of an earlier release that are not valid responses. The validation does not block writers.
DELETE FROM ops.idempotency_key WHERE NOT ops.is_response(status, headers);
ALTER TABLE ops.idempotency_key VALIDATE CONSTRAINT a_response;

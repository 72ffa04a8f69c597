-- Rows of an earlier release that hold something else are no responses. Writers are not kept waiting.
DELETE FROM ops.idempotency_key WHERE NOT ops.is_response(status, headers);
ALTER TABLE ops.idempotency_key VALIDATE CONSTRAINT a_response;

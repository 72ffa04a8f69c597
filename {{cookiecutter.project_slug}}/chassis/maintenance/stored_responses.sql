-- Limits of a row, so that a writer of this table cannot make the service send a malformed response:
-- a final status (RFC 9110, section 15), and headers of text without control characters.
CREATE FUNCTION ops.is_response(status integer, headers jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT status BETWEEN 200 AND 599
        AND jsonb_typeof(headers) = 'object'
        AND NOT jsonb_path_exists(headers, 'strict $.* ? (@.type() != "string")')
        AND NOT jsonb_path_exists(headers, 'strict $.* ? (@ like_regex "[[:cntrl:]]")')
        AND NOT jsonb_path_exists(headers, 'strict $.keyvalue() ? (!(@.key like_regex "^[!-9^-z|~A-Z]+$"))')
$$;
ALTER TABLE ops.idempotency_key
    ADD CONSTRAINT a_response CHECK (ops.is_response(status, headers)) NOT VALID;

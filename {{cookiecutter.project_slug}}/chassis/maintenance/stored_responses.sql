-- What a row may hold, so that nobody who writes the table can forge what the service would send:
-- a final status (RFC 9110, section 15), and headers that are text without a control character.
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

-- ops.admit_write for statements in the same message: where a window forbids writes, it raises an error.
CREATE FUNCTION ops.pass_write_fence(fence bigint, bypass bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    refusal CONSTANT jsonb := ops.admit_write(fence, bypass);
BEGIN
    IF refusal IS NOT NULL THEN
        RAISE 'A maintenance window forbids writing.' USING ERRCODE = 'OPS01', DETAIL = refusal;
    END IF;
END $$;

"""A trigger keeps two columns equal while releases that use only one of them serve."""

from support.revisions import RevisionsTestCase

TABLE, OLD, NEW = 'odd."My Things"', '"order"', '"New"'
EQUAL = 'operations.keep_columns_equal("things", "id", "number"{})'


class TwoColumnsTest(RevisionsTestCase):
    def equal(self, kind: str, conversion: str = "") -> None:
        """Add the second column; existing rows are not filled yet."""
        add = f'op.execute("ALTER TABLE things ADD number {kind}")\n    '
        self.apply(add + EQUAL.format(conversion))

    def apply(self, code: str) -> None:
        self.revision(code=code)
        self.upgrade()

    def rows(self) -> list[tuple[object, ...]]:
        return [tuple(row) for row in self.sql("SELECT id, number FROM things ORDER BY id")]

    def test_who_writes_one_of_them_writes_both(self) -> None:
        self.equal("bigint")
        self.sql("INSERT INTO things (id) VALUES (1)")
        self.sql("INSERT INTO things (number) VALUES (2)")
        # The value of the new column counts.
        self.sql("INSERT INTO things (id, number) VALUES (7, 3)")
        self.assertEqual(self.rows(), [(1, 1), (2, 2), (3, 3)])
        self.sql("UPDATE things SET id = 4 WHERE id = 1")
        self.sql("UPDATE things SET number = 5 WHERE id = 2")
        self.sql("UPDATE things SET id = 9, number = 6 WHERE id = 3")
        self.assertEqual(self.rows(), [(4, 4), (5, 5), (6, 6)])
        self.sql("UPDATE things SET number = NULL WHERE id = 6")
        self.sql("UPDATE things SET id = NULL WHERE id = 5")
        self.assertEqual(self.rows(), [(4, 4), (None, None), (None, None)])

    def test_a_row_that_is_not_filled_yet_is_filled_by_any_change(self) -> None:
        self.sql("INSERT INTO things VALUES (1), (2)")
        self.equal("bigint")
        self.sql("UPDATE things SET id = id WHERE id = 1")
        self.assertEqual(self.rows(), [(1, 1), (2, None)])
        self.apply('operations.backfill("things", "number = id", where="number IS NULL")')
        self.assertEqual(self.rows(), [(1, 1), (2, 2)])

    def test_another_type_is_converted(self) -> None:
        self.equal("text")
        self.sql("INSERT INTO things (number) VALUES ('12')")
        self.sql("UPDATE things SET id = 13")
        self.assertEqual(self.rows(), [(13, "13")])

    def test_another_conversion_is_an_expression(self) -> None:
        self.equal("numeric", ', to_new="NEW.id / 100.0", to_old="NEW.number * 100"')
        self.sql("INSERT INTO things (id) VALUES (150)")
        self.sql("INSERT INTO things (number) VALUES (2.5)")
        self.assertEqual([float(str(number)) for _, number in self.rows()], [1.5, 2.5])
        self.assertEqual([identity for identity, _ in self.rows()], [150, 250])

    def test_they_may_differ_when_it_has_ended(self) -> None:
        self.equal("bigint")
        self.apply('operations.let_columns_differ("things", "number")')
        self.sql("INSERT INTO things (id) VALUES (1)")
        self.assertEqual(self.rows(), [(1, None)])
        functions = "SELECT count(*) FROM pg_proc WHERE proname LIKE '%_equal'"
        self.assertEqual(self.sql(functions)[0][0], 0)

    def test_odd_names_and_a_schema_are_as_sql_writes_them(self) -> None:
        self.sql('CREATE SCHEMA odd; CREATE TABLE odd."My Things" ("order" integer, "New" integer)')
        self.addCleanup(self.sql, "DROP SCHEMA odd CASCADE")
        self.apply(f"operations.keep_columns_equal({TABLE!r}, {OLD!r}, {NEW!r})")
        self.sql('INSERT INTO odd."My Things" ("order") VALUES (1)')
        [(found,)] = self.sql('SELECT "New" FROM odd."My Things"')
        self.assertEqual(found, 1)
        self.apply(f"operations.let_columns_differ({TABLE!r}, {NEW!r})")

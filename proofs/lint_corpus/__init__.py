"""Compares `db check` with what PostgreSQL does, for a corpus of revisions."""

"""Whom each of many migrations shuts out, and for how long: a table, on several PostgreSQLs."""

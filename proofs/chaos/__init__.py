"""Faults of the database, the server and what is around them, while clients read and write."""

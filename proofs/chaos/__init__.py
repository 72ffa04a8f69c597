"""Faults of database, server and neighbours while clients read and write."""

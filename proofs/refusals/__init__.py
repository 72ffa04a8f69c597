"""Measures how long migrations make clients wait or fail, on several versions of PostgreSQL."""

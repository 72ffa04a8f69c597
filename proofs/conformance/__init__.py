"""Proofs of a generated project's HTTP API, measured from outside."""

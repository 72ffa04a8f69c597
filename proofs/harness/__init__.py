"""Modules that the proofs share: projects, processes, databases, clients and reports."""

"""Measures what a request costs in a generated project and in comparable applications."""

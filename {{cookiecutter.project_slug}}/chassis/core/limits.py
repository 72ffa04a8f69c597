"""Limits of what the database and Python can hold."""

from datetime import UTC, datetime, timedelta

# The bounds of the database's integers, of four bytes and of eight.
INTEGER_MIN, INTEGER_MAX = -(2**31), 2**31 - 1
BIG_INTEGER_MIN, BIG_INTEGER_MAX = -(2**63), 2**63 - 1

# A day inside Python's own limits, so that converting to another time zone cannot overflow.
EARLIEST = datetime.min.replace(tzinfo=UTC) + timedelta(days=1)
LATEST = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)

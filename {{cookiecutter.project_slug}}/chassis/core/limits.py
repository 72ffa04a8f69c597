"""Limits of what PostgreSQL and Python can hold."""

from datetime import UTC, datetime, timedelta

# What PostgreSQL's integer and bigint hold.
INTEGER_MIN, INTEGER_MAX = -(2**31), 2**31 - 1
BIG_INTEGER_MIN, BIG_INTEGER_MAX = -(2**63), 2**63 - 1

# A day less than Python holds at either end, so that a moment has a year in every time zone.
EARLIEST = datetime.min.replace(tzinfo=UTC) + timedelta(days=1)
LATEST = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)

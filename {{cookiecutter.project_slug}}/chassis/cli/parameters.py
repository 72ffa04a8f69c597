"""Durations and times as parameters of the command line."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


class Duration(click.ParamType[timedelta]):
    """`200ms`, `30s`, `10m` or `1h`, as a timedelta."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"(\d{1,9})(ms|s|m|h)", value)
        if not match:
            self.fail(f"{value!r} is not a duration such as 200ms, 30s, 10m or 1h.", param, ctx)
        return timedelta(seconds=int(match[1]) * UNITS[match[2]])


class Length(Duration):
    """A duration of more than 0."""

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        length = super().convert(value, param, ctx)
        if not length:
            self.fail(f"{value!r}: must be more than 0.", param, ctx)
        return length


class Moment(click.ParamType[datetime]):
    """`2026-12-01T02:00Z`, or `+30m` from now, as an aware datetime."""

    name = "moment"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        if value.startswith("+"):
            try:
                return datetime.now(UTC) + Duration().convert(value[1:], param, ctx)
            except OverflowError:
                self.fail(f"{value!r} is too far in the future.", param, ctx)
        try:
            # `fromisoformat` accepts +00:99.
            readable = not re.search(r"[+-]\d\d:?[6-9]\d", value.partition("T")[2])
            moment = datetime.fromisoformat(value if readable else "")
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-12-01T02:00Z or +30m.", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{value!r} has no offset: write {value}Z, or {value}+01:00.", param, ctx)
        return moment

"""The steps from an event to a log line: ids, exceptions, redaction, JSON or text."""

import json
import re
from collections.abc import Callable, Iterator, MutableMapping
from shutil import get_terminal_size
from sys import exception
from traceback import TracebackException
from typing import Any, BinaryIO

import orjson
from structlog.dev import ConsoleRenderer, plain_traceback

from chassis.core.request_scope import current_scope
from chassis.observability.redaction import mask_sent

Event = MutableMapping[str, Any]
Render = Callable[[Any, str, Event], str]

# Keys of values that `clean` leaves: ours, masked already, or a request id of checked form.
OURS = {"timestamp", "level", "logger", "request_id", "exception", "refusal"}
# PostgreSQL may quote a row or statement cut off, and a cut value could not be masked.
QUOTED = re.compile(r"\n(?:DETAIL|CONTEXT|QUERY|LINE \d+):.*?(?=\nHINT:|\n\[SQL|\Z)", re.DOTALL)

TIME_OF_DAY = slice(11, 19)  # The time of day in an ISO 8601 timestamp.
COLOUR = re.compile(r"\x1b\[[\d;]*m")

ENABLED = True  # Tests set False, and Python's own encoder writes every line.
_encode = json.JSONEncoder(separators=(",", ":")).encode


def add_request_id(_: Any, __: str, event: Event) -> Event:
    if (scope := current_scope()).request is not None:
        event["request_id"] = scope.request_id
    return event


def render_exception(_: Any, __: str, event: Event) -> Event:
    """Render the traceback ourselves: rich would show the values of variables."""
    error = event.pop("exc_info", None)
    if isinstance(error, tuple):
        error = error[1]
    elif error and not isinstance(error, BaseException):
        error = exception()
    if error:
        event["exception"] = "\n".join(_traceback(TracebackException.from_exception(error)))
    return event


def clean(_: Any, __: str, event: Event) -> Event:
    """Mask every value that the caller sent."""
    for name, value in event.items():
        if name not in OURS and not name.startswith("_") and value is not None:
            text = value if isinstance(value, str) else repr(value)
            cleaned = _without_values(text)
            if cleaned != text or not isinstance(value, int | float):
                event[name] = cleaned
    return event


def to_json(_: Any, __: str, event: Event) -> str:
    """The event as JSON; every character but printable ASCII is escaped."""
    if not ENABLED:
        return _encode(event)
    try:
        line = orjson.dumps(event).decode()
    except TypeError:  # A number beyond 64 bits, or half of a surrogate pair.
        return _encode(event)
    return line if line.isascii() and line.isprintable() else _encode(event)


def console(stream: BinaryIO) -> Render:
    """Text for a person: the time without the date, and no line wider than the terminal."""
    show = ConsoleRenderer(
        colors=stream.isatty(),
        exception_formatter=plain_traceback,
        sort_keys=False,
        pad_event_to=0,
        pad_level=False,
    )

    def render(logger: Any, name: str, event: Event) -> str:
        lines = event.pop("exception", "").splitlines()
        if event.get("logger", "").startswith("_granian"):  # A line of the server.
            del event["logger"]
        if "timestamp" in event:
            event["timestamp"] = event["timestamp"][TIME_OF_DAY]
        shown = {_escape(key): _escape(str(value)) for key, value in event.items()}
        text = str(show(logger, name, shown))
        if stream.isatty():
            lines = [*_wrapped(text, get_terminal_size().columns), *lines]
        else:
            lines = [text, *lines]
        return "\n    ".join(lines)

    return render


def _wrapped(text: str, columns: int) -> list[str]:
    """The text in lines of at most `columns`, broken at spaces; colours take no column."""
    lines = [""]
    for word in text.rstrip().split(" "):
        indent = 4 if len(lines) > 1 else 0
        taken = len(COLOUR.sub("", f"{lines[-1]} {word}")) + indent
        if lines[-1] and taken > columns:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


def _traceback(error: TracebackException) -> Iterator[str]:
    """Python's traceback, with each message masked and on one line."""
    if error.__cause__:
        yield from (*_traceback(error.__cause__), "That was the direct cause of:")
    elif error.__context__ and not error.__suppress_context__:
        yield from (*_traceback(error.__context__), "While that was handled:")
    yield "Traceback (most recent call last):"
    for frame in error.stack.format():
        yield from frame.rstrip().splitlines()
    yield _escape(_without_values("".join(error.format_exception_only()).rstrip()))
    for inner in error.exceptions or ():
        yield from _traceback(inner)


def _without_values(text: str) -> str:
    return mask_sent(QUOTED.sub("", text))


def _escape(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)

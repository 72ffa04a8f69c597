"""orjson and Python's json write the same log lines."""

import json
from typing import Any
from unittest import TestCase
from unittest.mock import patch

from chassis.observability import log_events

VALUES: list[Any] = [
    "plain",
    'quoted " and \\ back, / and <',
    "\0\t\n\r\x1b\x7f",
    "\u00e9\u2028\U0001f600",
    "\ud800",
    *(0, -1, 2**63, 2**64, 10**30, 1.5, 1e300, 1e-7, 100.0, True, None),
    {"a": [1, "\x7f"]},
]


class LogLinesTest(TestCase):
    def test_each_value_is_written_alike(self) -> None:
        for value in VALUES:
            for event in ({"value": value}, {str(value): 1}):
                with self.subTest(event):
                    line = log_events.to_json(None, "", event)
                    with patch.object(log_events, "ENABLED", new=False):
                        ordinary = log_events.to_json(None, "", event)
                    self.assertTrue(line.isascii() and line.isprintable())
                    self.assertEqual(json.loads(line), json.loads(ordinary))
                    self.assertEqual(json.loads(line), event)

    def test_what_is_no_json_is_not_written(self) -> None:
        with self.assertRaises(TypeError):
            log_events.to_json(None, "", {"value": object()})

    def test_python_is_not_asked_about_what_is_plain(self) -> None:
        with (
            patch.object(log_events, "ENABLED", new=True),
            patch.object(log_events, "_encode", side_effect=AssertionError),
        ):
            self.assertEqual(log_events.to_json(None, "", {"a": 1}), '{"a":1}')

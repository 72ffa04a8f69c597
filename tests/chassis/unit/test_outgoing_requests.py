"""Only listed modules send requests, and never to an address that a client sent."""

import re
from unittest import TestCase

from chassis.development.testing.security_table import shows
from chassis.project import current_project

ROOT = current_project().root
CLIENTS = r"urllib\.request|urllib import request|http\.client|http import client"
CLIENT = re.compile(rf"^\s*(?:import|from) (?:{CLIENTS}|requests|httpx|urllib3|aiohttp)\b", re.M)
# Each of these sends to an address from the settings.
ALLOWED = {"chassis/tokens/key_server.py"}


class OutgoingRequestsTest(TestCase):
    @shows("API7:2023", "V1.3.6")
    def test_nothing_else_can_ask_another_service(self) -> None:
        asking = {
            path.relative_to(ROOT).as_posix()
            for folder in ("chassis", "src")
            for path in (ROOT / folder).rglob("*.py")
            if "development" not in path.parts and CLIENT.search(path.read_text("utf-8"))
        }
        self.assertEqual(asking, ALLOWED)

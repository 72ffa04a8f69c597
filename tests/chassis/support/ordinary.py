"""Run unittest without the chassis's shortcuts (docs/shortcuts.md of a project).

python -m support.ordinary ARGUMENTS takes the arguments of python -m unittest.
"""

import sys
import unittest
from typing import Any

from chassis.http.fast import (
    direct_flask,
    direct_parser,
    direct_request,
    direct_routes,
    prepared_response,
)
from chassis.observability import log_events
from chassis.postgres.fast import rows, statements
from chassis.schemas import loading

SHORTCUTS: list[Any] = [
    direct_flask,
    direct_parser,
    direct_request,
    direct_routes,
    loading,
    log_events,
    prepared_response,
    rows,
    statements,
]

if __name__ == "__main__":
    for module in SHORTCUTS:
        module.ENABLED = False
    unittest.main(module=None, argv=["python -m support.ordinary", *sys.argv[1:]])

from datetime import UTC, datetime
from typing import Any
from unittest.mock import create_autospec

from chassis.core.maintenance import MaintenanceMode, MaintenanceWindows, Window, WindowPhase

DEFAULTS: dict[str, Any] = {
    "id": 7,
    "kind": "migration",
    "mode": MaintenanceMode.READ_ONLY,
    "phase": WindowPhase.ACTIVE,
    "message": "",
    "is_open": True,
    "starts_at": datetime(2026, 1, 2, tzinfo=UTC),
    "expected_end": None,
    "seconds_left": None,
    "from_revision": None,
    "target_revision": None,
}


def window(**values: Any) -> Window:
    return Window(**DEFAULTS | values)


def fixed_windows(open_window: Window | None) -> Any:
    """Return a fake port whose current window is this one, and which records its calls."""
    windows = create_autospec(MaintenanceWindows, instance=True)
    windows.current.return_value = open_window
    return windows

"""Effects of a revision that running code or other sessions may notice."""

from dataclasses import dataclass

from chassis.core.maintenance import MaintenanceMode


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect of a revision; `rule` is the name for `# mig: ignore`."""

    rule: str
    mode: MaintenanceMode
    text: str
    contracts: bool = False  # True if the earlier release would fail.
    is_error: bool = False


def contracting(rule: str, text: str, mode: MaintenanceMode = MaintenanceMode.NONE) -> Effect:
    return Effect(rule, mode, text, contracts=True)

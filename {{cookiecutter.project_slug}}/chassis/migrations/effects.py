"""What a revision does that somebody may notice."""

from dataclasses import dataclass

from chassis.core.maintenance import MaintenanceMode


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that a revision does; `rule` is what `# mig: ignore` names."""

    rule: str
    mode: MaintenanceMode
    text: str
    contracts: bool = False  # Code of the release before could not live with it.
    is_error: bool = False


def contracting(rule: str, text: str, mode: MaintenanceMode = MaintenanceMode.NONE) -> Effect:
    return Effect(rule, mode, text, contracts=True)

"""Which revisions are applied, in which order, and how much of a window they need."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from alembic.runtime.migration import MigrationStep, RevisionStep
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from chassis.core.maintenance import MaintenanceMode
from chassis.maintenance.declarations import is_autocommit, is_contract, needed_mode


def unheard(_what: str, _text: str) -> None:
    """For who does not want to be told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """Times are in seconds. `maintenance` None is what the revisions declare."""

    maintenance: MaintenanceMode | None = None
    force: bool = False  # Take a weaker mode than is declared.
    single_transaction: bool = False
    hold: bool = False  # Leave the window open afterwards.
    wait: float = 60  # For another migrator.
    drain_timeout: float = 30  # For those who write.
    lock_timeout: float = 0.2
    lock_budget: float = 600
    say: Callable[[str, str], None] = unheard


@dataclass(frozen=True, slots=True)
class Plan:
    direction: str  # upgrade or downgrade
    start: str | None
    target: str | None
    steps: list[RevisionStep]

    @property
    def mode(self) -> MaintenanceMode:
        """The strongest that a revision needs; an empty database serves nobody."""
        if self.start is None or not self.steps:
            return MaintenanceMode.NONE
        if self.direction == "downgrade":
            return MaintenanceMode.FULL  # Takes away what the running code uses.
        return max((needed_mode(script) for script in self.scripts), key=lambda mode: mode.strength)

    @property
    def scripts(self) -> list[Script]:
        return [step.revision for step in self.steps]

    def __str__(self) -> str:
        number = f"{len(self.steps)} revision{'s' if len(self.steps) != 1 else ''}"
        return f"{number}, {self.start or 'none'} -> {self.target or 'none'}"


def plan_upgrade(
    scripts: ScriptDirectory, current: str | None, revision: str, *, until_expand: bool = False
) -> Plan:
    """Raise CommandError if the code has no such revision."""
    # Alembic takes None too: a database that was never migrated.
    steps = _revision_steps(scripts._upgrade_revs(revision, current))  # type: ignore[arg-type]  # noqa: SLF001
    if until_expand:
        first = next((i for i, step in enumerate(steps) if is_contract(step.revision)), len(steps))
        steps = steps[:first]
    return Plan("upgrade", current, steps[-1].revision.revision if steps else current, steps)


def plan_downgrade(scripts: ScriptDirectory, current: str | None, revision: str) -> Plan:
    """Raise CommandError if the code has no such revision, or one says that it is irreversible."""
    steps = _revision_steps(scripts._downgrade_revs(revision, current))  # noqa: SLF001
    for step in steps:
        if reason := getattr(step.revision.module, "irreversible", None):
            raise CommandError(f"{step.revision.revision} cannot be taken back: {reason}")
    down = steps[-1].revision.down_revision if steps else current
    return Plan("downgrade", current, down if isinstance(down, str) else None, steps)


def refuse_autocommit(plan: Plan) -> None:
    for script in plan.scripts:
        if is_autocommit(script):
            raise CommandError(
                f"{script.revision} cannot run in a transaction, so --single-transaction is not "
                "possible. Apply it by itself first."
            )


def _revision_steps(steps: Iterable[MigrationStep]) -> list[RevisionStep]:
    return [step for step in steps if isinstance(step, RevisionStep)]

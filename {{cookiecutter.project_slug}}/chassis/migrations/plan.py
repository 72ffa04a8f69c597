"""The plan of a migration: the revisions, their order, and the window that they need."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from alembic.runtime.migration import MigrationStep, RevisionStep
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from chassis.core.maintenance import MaintenanceMode
from chassis.maintenance.declarations import is_autocommit, is_contract, needed_mode
from chassis.maintenance.migrator import LOCK_TIMEOUT


def unheard(_what: str, _text: str) -> None:
    """Ignore messages."""


class ContractInTheWayError(Exception):
    """An expand revision waits for a contract one, which belongs after the release."""

    def __init__(self, expand: str, contract: str, *, applied: str | None) -> None:
        super().__init__(
            f"The database is at {applied or 'none'}. {expand} (expand) was not applied: it comes "
            f"after {contract} (contract). When no release uses what {contract} removes, run "
            f"`python manage.py db upgrade {contract}`, then this command again."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """Times are in seconds. `maintenance` None stands for the declared modes."""

    maintenance: MaintenanceMode | None = None
    force: bool = False  # Accept a weaker mode than declared.
    single_transaction: bool = False
    hold: bool = False  # Leave the window open afterwards.
    wait: float = 60  # Seconds to wait for another migrator.
    drain_timeout: float = 30  # Seconds to wait for running writes.
    lock_timeout: float = LOCK_TIMEOUT
    lock_budget: float = 600
    terminate_blockers: bool = False  # End blockers with an idle transaction.
    accept_writes: bool = False  # Go on although a window ended between two of its revisions.
    say: Callable[[str, str], None] = unheard


@dataclass(frozen=True, slots=True)
class Plan:
    direction: str  # upgrade or downgrade
    start: str | None
    target: str | None
    steps: list[RevisionStep]
    modes: list[MaintenanceMode]  # The mode that each step needs.

    @property
    def mode(self) -> MaintenanceMode:
        """The strongest mode that a revision needs."""
        return max(self.modes, key=lambda mode: mode.strength, default=MaintenanceMode.NONE)

    @property
    def scripts(self) -> list[Script]:
        return [step.revision for step in self.steps]

    @property
    def needing(self) -> range:
        """The steps from the first to the last that needs a window.

        The window stays open in between: if one revision copies a column and a later one drops the
        source, a write between them would be lost.
        """
        positions = [i for i, mode in enumerate(self.modes) if mode is not MaintenanceMode.NONE]
        return range(positions[0], positions[-1] + 1) if positions else range(0)

    def part(self, begin: int, end: int) -> "Plan":
        steps = self.steps[begin:end]
        start = leads_to(self.steps[begin - 1]) if begin else self.start
        target = leads_to(steps[-1]) if steps else start
        return Plan(self.direction, start, target, steps, self.modes[begin:end])

    def in_mode(self, mode: MaintenanceMode) -> "Plan":
        """The same plan, with all steps in a window of this mode."""
        return replace(self, modes=[mode] * len(self.steps))

    def described(self) -> Iterator[str]:
        """Describe each step's mode, and the steps that run in the window of their neighbours."""
        number = f"{len(self.steps)} revision{'s' if len(self.steps) != 1 else ''}"
        yield f"{number}, {self.start or 'none'} -> {self.target or 'none'}, window {self.mode}"
        inside = self.needing
        for i in inside:
            name = self.scripts[i].revision
            if len(inside) > 1 or len(self.steps) > 1:
                yield f"{name} needs {self.modes[i]}"
            if self.modes[i] is MaintenanceMode.NONE:
                first, last = (self.scripts[j].revision for j in (inside[0], inside[-1]))
                before = leads_to(self.steps[i - 1]) or "base"
                after = leads_to(self.steps[i]) or "base"
                yield (
                    f"{name} runs in the window only because it lies between {first} and {last}; "
                    f"to run it apart: `python manage.py db {self.direction} {before}`, then "
                    f"`{after}`, then the rest. Writes between these commands must not matter"
                )


def leads_to(step: RevisionStep) -> str | None:
    """The revision of the database after a step."""
    if step.is_upgrade:
        return step.revision.revision
    down = step.revision.down_revision
    return down if isinstance(down, str) else None


def plan_upgrade(
    scripts: ScriptDirectory, current: str | None, revision: str, *, until_expand: bool = False
) -> Plan:
    """Plan the steps up to a revision. Raise CommandError if the code has no such revision."""
    # Alembic accepts None, for a database that was never migrated.
    steps = _revision_steps(scripts._upgrade_revs(revision, current))  # type: ignore[arg-type]  # noqa: SLF001
    if until_expand:
        first = next((i for i, step in enumerate(steps) if is_contract(step.revision)), len(steps))
        steps = steps[:first]
    return _plan("upgrade", current, steps)


def plan_downgrade(scripts: ScriptDirectory, current: str | None, revision: str) -> Plan:
    """Plan the steps down to a revision.

    Raise CommandError if the code has no such revision, or if a step is irreversible.
    """
    steps = _revision_steps(scripts._downgrade_revs(revision, current))  # noqa: SLF001
    for step in steps:
        if reason := getattr(step.revision.module, "irreversible", None):
            raise CommandError(f"{step.revision.revision} cannot be taken back: {reason}")
    return _plan("downgrade", current, steps)


def expand_behind_contract(pending: list[Script]) -> tuple[str, str] | None:
    """The first expand revision that waits for a contract one, and the contract one."""
    contract = next((one for one in pending if is_contract(one)), None)
    if contract is None:
        return None
    later = pending[pending.index(contract) :]
    expand = next((one for one in later if not is_contract(one)), None)
    return (expand.revision, contract.revision) if expand else None


def _plan(direction: str, current: str | None, steps: list[RevisionStep]) -> Plan:
    modes = [
        # No service uses an empty database.
        MaintenanceMode.NONE if current is None else needed_mode(step.revision, direction)
        for step in steps
    ]
    return Plan(direction, current, leads_to(steps[-1]) if steps else current, steps, modes)


def refuse_autocommit(plan: Plan) -> None:
    for script in plan.scripts:
        if is_autocommit(script):
            raise CommandError(
                f"{script.revision} cannot run in a transaction, so --single-transaction is not "
                f"possible. Apply {script.revision} by itself first."
            )


def _revision_steps(steps: Iterable[MigrationStep]) -> list[RevisionStep]:
    return [step for step in steps if isinstance(step, RevisionStep)]

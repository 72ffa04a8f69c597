"""Actions that follow the commit of a transaction."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Action = Callable[[], object]

logger = logging.getLogger(__name__)


class CommitHooks:
    """The actions of one transaction, in the order of their registration."""

    def __init__(self) -> None:
        self._actions: list[Action] = []

    def add(self, action: Action) -> None:
        self._actions.append(action)

    @contextmanager
    def part(self) -> Iterator[None]:
        """Drop the actions that the block has registered if the block raises an error."""
        before = len(self._actions)
        try:
            yield
        except BaseException:
            del self._actions[before:]
            raise

    def run(self) -> None:
        """Run the actions after the commit. A failing action is logged; the others still run."""
        for action in self._actions:
            try:
                action()
            except Exception:
                logger.exception("An action after a commit failed.")

"""Actions that follow the commit of a transaction."""

import logging
from collections.abc import Callable

Action = Callable[[], object]

logger = logging.getLogger(__name__)


class CommitHooks:
    """The actions of one transaction, in the order of their registration."""

    def __init__(self) -> None:
        self.actions: list[Action] = []

    def add(self, action: Action) -> None:
        self.actions.append(action)

    def run(self) -> None:
        """Run the actions after the commit. A failing action is logged; the others still run."""
        for action in self.actions:
            try:
                action()
            except Exception:
                logger.exception("An action after a commit failed.")

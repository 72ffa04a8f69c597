"""The pipeline: the steps that a request passes down to the view, and its response passes up.

A step is left out for a route where it cannot matter. To add a step, write a function
`step(route) -> Step | None` (chassis/http/flow/pipeline.py) and put its name into this list.
"""

from collections.abc import Callable, Sequence
from typing import Any

from chassis.core import persistence
from chassis.core.authentication import Authenticator
from chassis.core.maintenance_service import MaintenanceService
from chassis.http import steps


def pipeline(  # noqa: PLR0913  # All are keyword arguments.
    *,
    observers: Sequence[steps.Observer],
    authenticator: Authenticator,
    rates: tuple[str, str, str],
    maintenance: MaintenanceService,
    replica: bool,
    slots: int,
    trusted_hosts: Sequence[str],
    unit_of_work: Callable[[], persistence.UnitOfWorkFactory[Any]],
) -> list[steps.Maker]:
    return [
        steps.send_security_headers,  # Outermost: every response passes it last.
        steps.read_unread_bodies,  # Keeps the connection usable after a rejection.
        steps.give_request_ids,  # Before any step that may log or fail.
        steps.record_requests(*observers),  # Records rejected requests, too.
        steps.identify_callers(authenticator),  # Before the limits, which count by caller.
        steps.limit_rates(*rates),  # Before the steps that cost something.
        steps.respect_windows(maintenance),  # Before rights: in a window, keys may be unavailable.
        steps.reject_strangers,  # Before input: a stranger learns nothing about it.
        steps.check_input(trusted_hosts),  # Reads the body: a slow one takes no slot.
        steps.read_own_writes(replica=replica),  # Needs the caller, for reads on a replica.
        steps.queue_fairly(slots),  # Lets as many pass as there are connections.
        steps.send_deprecation,  # The headers Deprecation and Sunset.
        steps.repeat_collisions,  # Around the next: a repetition claims its Idempotency-Key again.
        steps.respond_once(unit_of_work),  # Innermost: joins the view's transaction.
    ]

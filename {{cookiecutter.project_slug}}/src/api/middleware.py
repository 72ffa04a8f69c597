"""What each request passes: a step a line, downwards to the view, upwards with the response.

A step is made for each route at the start, or left out where it cannot matter. One of your own is
a function `step(route) -> Step | None`, as chassis/http/flow/pipeline.py has it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from chassis.core import persistence
from chassis.core.authentication import Authenticator
from chassis.core.maintenance_service import MaintenanceService
from chassis.http import steps


def pipeline(  # noqa: PLR0913  # Each by its name.
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
        steps.send_security_headers,  # Outermost: the last to see a response, whoever made it.
        steps.read_unread_bodies,  # Whoever rejected the request, its connection stays usable.
        steps.give_request_ids,  # Before any step that may log or fail.
        steps.record_requests(*observers),  # What is rejected below is recorded too.
        steps.identify_callers(authenticator),  # Before limits, which count by caller.
        steps.limit_rates(*rates),  # Before the steps that cost something.
        steps.respect_windows(maintenance),  # Before rights: in a window no token may be checkable.
        steps.reject_strangers,  # Before input: a stranger learns nothing about what is taken.
        steps.check_input(trusted_hosts),  # Reads the body, so that no slot waits for a slow one.
        steps.read_own_writes(replica=replica),  # By caller; sets what the reads below have to see.
        steps.queue_fairly(slots),  # Last before the database: as many pass as it has connections.
        steps.send_deprecation,  # Deprecation and Sunset, of an operation that will go.
        steps.repeat_collisions,  # Around the key: a collision takes that back too.
        steps.respond_once(unit_of_work),  # Innermost: keeps what the view returned, as it commits.
    ]

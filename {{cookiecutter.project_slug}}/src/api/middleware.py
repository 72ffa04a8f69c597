"""What each request passes: a step a line, downwards to the view, upwards with the response.

A step is made for each route at the start, or left out where it cannot matter. One of your own is
a function `step(route) -> Step | None`, as chassis/http/flow/pipeline.py has it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from chassis.core.authentication import Authenticator
from chassis.core.maintenance_service import MaintenanceService
from chassis.core.persistence import UnitOfWorkFactory
from chassis.http.access.policies import identify_callers, reject_strangers
from chassis.http.access.rate_limits import limit_rates
from chassis.http.flow.fair_queue import queue_fairly
from chassis.http.flow.idempotency import respond_once
from chassis.http.flow.maintenance_gate import respect_windows
from chassis.http.flow.pipeline import Maker
from chassis.http.flow.read_your_writes import read_own_writes
from chassis.http.flow.repetition import repeat_collisions
from chassis.http.flow.request_ids import give_request_ids
from chassis.http.flow.request_record import Observer, record_requests
from chassis.http.input.input_gate import check_input
from chassis.http.input.unread_bodies import read_unread_bodies
from chassis.http.output.deprecation import send_deprecation
from chassis.http.output.security_headers import send_security_headers


def steps(  # noqa: PLR0913  # Each by its name.
    *,
    observers: Sequence[Observer],
    authenticator: Authenticator,
    rates: tuple[str, str, str],
    maintenance: MaintenanceService,
    replica: bool,
    slots: int,
    trusted_hosts: Sequence[str],
    unit_of_work: Callable[[], UnitOfWorkFactory[Any]],
) -> list[Maker]:
    return [
        send_security_headers,  # Outermost: the last to see a response, whoever made it.
        read_unread_bodies,  # Whoever rejected the request, its connection stays usable.
        give_request_ids,  # Before any step that may log or fail.
        record_requests(*observers),  # What is rejected below is recorded too.
        identify_callers(authenticator),  # Before limits, which count by caller.
        limit_rates(*rates),  # Before the steps that cost something.
        respect_windows(maintenance),  # Before rights: in a window a token may not be checkable.
        reject_strangers,  # Before input: a stranger learns nothing about what is taken.
        check_input(trusted_hosts),  # Reads the body, so that no slot waits for a slow one.
        read_own_writes(replica=replica),  # By caller; sets what the reads below have to see.
        queue_fairly(slots),  # Last before the database: as many pass as it has connections.
        send_deprecation,
        repeat_collisions,  # Around the key: what collides takes the key back, and both again.
        respond_once(unit_of_work),  # Innermost: keeps what the view returned, as it commits.
    ]

"""The steps that a pipeline can have, for src/api/middleware.py."""

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

__all__ = [
    "Maker",
    "Observer",
    "check_input",
    "give_request_ids",
    "identify_callers",
    "limit_rates",
    "queue_fairly",
    "read_own_writes",
    "read_unread_bodies",
    "record_requests",
    "reject_strangers",
    "repeat_collisions",
    "respect_windows",
    "respond_once",
    "send_deprecation",
    "send_security_headers",
]

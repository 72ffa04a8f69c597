import re
from dataclasses import dataclass

from marshmallow import ValidationError
from marshmallow.validate import Range

from chassis.settings import Settings, setting


def _valid_broker(value: str) -> None:
    if value and not re.match(r"amqps?://[^/]", value):
        raise ValidationError("Must have the form amqp://user:password@host:5672/vhost.")


@dataclass(frozen=True, kw_only=True)  # Not with slots: those of two parts would collide.
class JobSettings(Settings):
    """Without a broker, a server process for development does the jobs itself."""

    broker_url: str = setting(secret=True, validate=_valid_broker)
    job_processes: int = setting(4, parse="int", validate=Range(1, 100))

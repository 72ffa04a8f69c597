import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from marshmallow import ValidationError
from marshmallow.validate import Range

from chassis.settings import Settings, setting


def _valid_broker(value: str) -> None:
    if value and not (re.match(r"amqps?://[^/]", value) and _has_possible_ports(value)):
        raise ValidationError("Must have the form amqp://user:password@host:5672/vhost.")


def _has_possible_ports(urls: str) -> bool:
    """Whether Kombu, which tries one broker after another, can read the port of each."""
    try:
        return all(urlsplit(url).port != 0 for url in urls.strip().split(";"))
    except ValueError:  # Not a number, or above 65535.
        return False


# Without slots: classes with slots cannot both be bases of a project's Config.
@dataclass(frozen=True, kw_only=True)
class JobSettings(Settings):
    """Settings of background jobs.

    Without `broker_url`, a development server runs the jobs itself.
    """

    broker_url: str = setting(secret=True, validate=_valid_broker)
    job_processes: int = setting(4, parse="int", validate=Range(1, 100))

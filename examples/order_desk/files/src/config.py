"""This service's settings: those that each service has, and its own."""

from dataclasses import dataclass

from chassis.settings import Settings, setting


@dataclass(frozen=True, kw_only=True, slots=True)
class Config(Settings):
    """A setting of one's own is a field: `page_size: int = setting(20, parse="int")`."""

    smtp_host: str = setting("127.0.0.1")
    smtp_port: int = setting(25, parse="int")
    mail_sender: str = setting("orders@example.org")

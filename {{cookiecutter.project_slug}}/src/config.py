"""This service's settings: those that each service has, and its own."""

from dataclasses import dataclass

from chassis.jobs.settings import JobSettings
from chassis.settings import Settings
from chassis.storage.storage_settings import StorageSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Config(
    JobSettings,
    StorageSettings,
    Settings,
):
    """A setting of one's own is a field: `page_size: int = setting(20, parse="int")`."""

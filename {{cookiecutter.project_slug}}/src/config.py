"""This service's settings: those of every service, and the fields that this class adds."""

from dataclasses import dataclass

from chassis.jobs.job_settings import JobSettings
from chassis.settings import Settings
from chassis.storage.storage_settings import StorageSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Config(
    JobSettings,
    StorageSettings,
    Settings,
):
    """Add a setting as a field: `page_size: int = setting(20, parse="int")`."""

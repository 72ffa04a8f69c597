"""Settings of the file store: where contents are stored, and which media types are accepted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from marshmallow import ValidationError
from marshmallow.validate import OneOf, Range

from chassis.core.storage.media_types import TYPES
from chassis.core.storage.stored_file import LARGEST_FILE
from chassis.settings import ConfigError, setting

DEFAULT_TYPES = (
    "application/json",
    "application/pdf",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/csv",
    "text/plain",
    "video/mp4",
)
HIGHEST_PORT = 65535
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-dataintegrity.html
SUPPORTED, REQUIRED = "when_supported", "when_required"


def _valid_types(values: Sequence[str]) -> None:
    if unknown := sorted(set(values) - TYPES.keys()):
        raise ValidationError(
            f"The content of {', '.join(unknown)} cannot be checked; the supported types are "
            f"{', '.join(TYPES)}."
        )


def _valid_bucket(value: str) -> None:
    """Reject what boto3 would reject at the first request; AWS itself allows fewer names."""
    if value and not re.fullmatch(r"[A-Za-z0-9._-]{1,255}|arn:\S+", value):
        raise ValidationError("Must be the name of a bucket: letters, digits and . _ -")


def _valid_endpoint(value: str) -> None:
    if value and not re.fullmatch(r"https?://[^/?#@]+/?", value):
        raise ValidationError("Must have the form https://host or http://host:8333.")


def _valid_address(value: str) -> None:
    form = re.fullmatch(r"[^\s/:]+:([0-9]{1,5})", value)
    if value and not (form and 0 < int(form[1]) <= HIGHEST_PORT):
        raise ValidationError("Must have the form host:3310.")


@dataclass(frozen=True, kw_only=True)
class StorageSettings:
    s3_bucket: str = setting(required=True, validate=_valid_bucket)
    s3_endpoint: str = setting(validate=_valid_endpoint)
    s3_public_endpoint: str = setting(validate=_valid_endpoint)
    s3_region: str = setting("us-east-1")
    s3_access_key: str = setting(secret=True)
    s3_secret_key: str = setting(secret=True)
    s3_checksums: str = setting(SUPPORTED, validate=OneOf([SUPPORTED, REQUIRED]))
    s3_upload_forms: bool = setting(default=True, parse="bool")
    file_types: Sequence[str] = setting(DEFAULT_TYPES, parse="list", validate=_valid_types)
    max_file_bytes: int = setting(100_000_000, parse="int", validate=Range(1, LARGEST_FILE))
    clamd_address: str = setting(validate=_valid_address)

    def __post_init__(self) -> None:
        """Raise ConfigError for half of the credentials: boto3 would reject each request."""
        if bool(self.s3_access_key) != bool(self.s3_secret_key):
            raise ConfigError("S3_ACCESS_KEY and S3_SECRET_KEY: Set both, or neither.")

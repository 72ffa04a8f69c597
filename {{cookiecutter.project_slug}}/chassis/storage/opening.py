"""Makes of the settings what implements the ports."""

from chassis.core.storage.file_store import FileStore
from chassis.core.storage.scanner import Scanner
from chassis.project import current_project
from chassis.storage.clamd_scanner import ClamdScanner
from chassis.storage.disk_store import DiskStore
from chassis.storage.storage_settings import StorageSettings

FOLDER = ".files"  # Of the project, in development.


def open_store(config: StorageSettings) -> FileStore:
    """Without a bucket, which is for development, a folder of the project."""
    if not config.s3_bucket:
        return DiskStore(current_project().root / FOLDER)
    # Half a second, that nobody but those who store files should wait for.
    from chassis.storage.s3_store import S3Store  # noqa: PLC0415

    return S3Store(
        config.s3_bucket,
        endpoint=config.s3_endpoint,
        public_endpoint=config.s3_public_endpoint,
        region=config.s3_region,
        access_key=config.s3_access_key,
        secret_key=config.s3_secret_key,
        checksums=config.s3_checksums,
        upload_forms=config.s3_upload_forms,
    )


def open_scanner(config: StorageSettings) -> Scanner | None:
    return ClamdScanner(config.clamd_address) if config.clamd_address else None

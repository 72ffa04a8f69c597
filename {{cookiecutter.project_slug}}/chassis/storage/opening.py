"""Makes the file store and the malware scanner that the settings name."""

from chassis.core.storage.file_store import FileStore
from chassis.core.storage.scanner import Scanner
from chassis.project import current_project
from chassis.storage.clamd_scanner import ClamdScanner
from chassis.storage.disk_store import DiskStore
from chassis.storage.storage_settings import StorageSettings

FOLDER = ".files"  # In the project's root, for development.


def open_store(config: StorageSettings) -> FileStore:
    """Return the S3 store of the bucket; without a bucket, in development, a folder."""
    if not config.s3_bucket:
        return DiskStore(current_project().root / FOLDER)
    # The import takes half a second, which services that store no files should not pay.
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
    """Return ClamAV's scanner where its address is set, else None."""
    return ClamdScanner(config.clamd_address) if config.clamd_address else None

"""A file store in S3, or in another store with S3's API."""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from chassis.core.errors import UnavailableError
from chassis.core.storage.file_store import (
    ContentChangedError,
    FileStore,
    StoredObject,
    UploadForm,
    attachment,
)
from chassis.core.storage.stored_file import INCOMING, StoredFile
from chassis.storage.storage_settings import SUPPORTED

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# S3's minimum for a part of a multipart upload, so little memory is used.
PART_BYTES = 5 * 1024 * 1024
PIECE_BYTES = 256 * 1024
PATIENCE_SECONDS = 20  # S3 answers late when it copies a large object.
CHANGED, MISSING, TOO_MANY, FAILS = 412, 404, 429, 500


class S3Store(FileStore):
    def __init__(  # noqa: PLR0913  # All are keyword arguments.
        self,
        bucket: str,
        *,
        endpoint: str = "",
        public_endpoint: str = "",
        region: str = "us-east-1",
        access_key: str = "",
        secret_key: str = "",
        checksums: str = SUPPORTED,
        upload_forms: bool = True,
        patience: int = PATIENCE_SECONDS,
    ) -> None:
        """Connect to `endpoint`, by default AWS. Without keys, boto3's default chain finds them.

        `public_endpoint` is the store's address for clients, where it differs from `endpoint`.
        `patience` is the read timeout in seconds.
        """
        self._bucket = bucket
        self._checksums = checksums
        self._upload_forms = upload_forms
        names = "request_checksum_calculation", "response_checksum_validation"
        sums: dict[str, Any] = dict.fromkeys(names, checksums)
        options: dict[str, Any] = {
            "region_name": region,
            "aws_access_key_id": access_key or None,
            "aws_secret_access_key": secret_key or None,
            "config": Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if endpoint else "auto"},
                connect_timeout=2,
                read_timeout=patience,
                retries={"mode": "standard", "total_max_attempts": 2},
                **sums,
                max_pool_connections=32,
            ),
        }
        session = Session()
        self._client: S3Client = session.client("s3", endpoint_url=endpoint or None, **options)
        self._public: S3Client = self._client
        if public_endpoint:  # This client signs URLs and sends no requests.
            self._public = session.client("s3", endpoint_url=public_endpoint, **options)

    def upload_form(self, file: StoredFile, seconds: int) -> UploadForm | None:
        if not self._upload_forms:
            return None
        fields = {"Content-Type": file.media_type}
        if self._checksums == SUPPORTED:
            fields["x-amz-checksum-algorithm"] = "SHA256"
            fields["x-amz-checksum-sha256"] = b64encode(bytes.fromhex(file.sha256)).decode()
        expires_at = datetime.now(UTC) + timedelta(seconds=seconds)
        made = self._public.generate_presigned_post(
            self._bucket,
            file.key,
            Fields=dict(fields),
            Conditions=[
                ["content-length-range", file.size, file.size],
                *({name: value} for name, value in fields.items()),
            ],
            ExpiresIn=seconds,
        )
        return UploadForm(made["url"], made["fields"], expires_at)

    def download_url(self, file: StoredFile, seconds: int) -> str | None:
        about = {
            "Bucket": self._bucket,
            "Key": file.key,
            "ResponseContentDisposition": attachment(file.name),
            "ResponseContentType": file.media_type,
        }
        return self._public.generate_presigned_url("get_object", Params=about, ExpiresIn=seconds)

    def stat(self, key: str) -> StoredObject | None:
        try:
            with _translated_errors():
                head = self._client.head_object(
                    Bucket=self._bucket, Key=key, ChecksumMode="ENABLED"
                )
        except ClientError as error:
            if _status(error) == MISSING:
                return None
            raise
        return StoredObject(
            key,
            head["ContentLength"],
            head["ETag"],
            head["LastModified"],
            _digest(head.get("ChecksumSHA256", "")),
        )

    def read(self, stored: StoredObject, *, first: int | None = None) -> Iterator[bytes]:
        if not stored.size:
            return  # An empty object has no byte range.
        last = min(first or stored.size, stored.size) - 1
        with _translated_errors():
            got = self._client.get_object(
                Bucket=self._bucket, Key=stored.key, IfMatch=stored.etag, Range=f"bytes=0-{last}"
            )
            yield from got["Body"].iter_chunks(PIECE_BYTES)

    def write(self, key: str, media_type: str, pieces: Iterable[bytes]) -> None:
        parts = _parts(pieces)
        first = next(parts, b"")
        with _translated_errors():
            if len(first) < PART_BYTES:
                about = _about(media_type)
                self._client.put_object(Bucket=self._bucket, Key=key, Body=first, **about)
            else:
                self._write_parts(key, media_type, chain((first,), parts))

    def _write_parts(self, key: str, media_type: str, parts: Iterable[bytes]) -> None:
        where: dict[str, Any] = {"Bucket": self._bucket, "Key": key}
        made = self._client.create_multipart_upload(**where, **_about(media_type))
        where["UploadId"] = made["UploadId"]
        try:
            sent = [
                _receipt(number, self._client.upload_part(**where, PartNumber=number, Body=part))
                for number, part in enumerate(parts, 1)
            ]
            self._client.complete_multipart_upload(**where, MultipartUpload={"Parts": sent})
        except BaseException:
            # The bucket's lifecycle rule removes the rest.
            with suppress(BotoCoreError, ClientError):
                self._client.abort_multipart_upload(**where)
            raise

    def copy(self, stored: StoredObject, key: str, media_type: str) -> None:
        with _translated_errors():
            self._client.copy_object(
                Bucket=self._bucket,
                Key=key,
                CopySource={"Bucket": self._bucket, "Key": stored.key},
                CopySourceIfMatch=stored.etag,
                MetadataDirective="REPLACE",
                **_about(media_type),
            )

    def delete(self, key: str) -> None:
        with _translated_errors():
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        pages = self._client.get_paginator("list_objects_v2")
        with _translated_errors():
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                for entry in page.get("Contents", ()):
                    yield StoredObject(
                        entry["Key"], entry["Size"], entry["ETag"], entry["LastModified"]
                    )

    def prepare(self, origins: Iterable[str]) -> list[str]:
        """Create a missing bucket; set a lifecycle rule for abandoned uploads, and CORS rules."""
        done = []
        with _translated_errors():
            if self._lacks_bucket():
                self._client.create_bucket(Bucket=self._bucket, **self._place())
                done.append(f"Created the bucket {self._bucket}.")
            self._client.put_bucket_lifecycle_configuration(
                Bucket=self._bucket, LifecycleConfiguration={"Rules": [ABANDONED]}
            )
            done.append(f"The bucket deletes objects below {INCOMING} after a day.")
            if allowed := list(origins):
                self._client.put_bucket_cors(
                    Bucket=self._bucket, CORSConfiguration={"CORSRules": [_cors(allowed)]}
                )
                done.append(f"Browsers may upload from {', '.join(allowed)}.")
        return done

    def _lacks_bucket(self) -> bool:
        try:
            self._client.head_bucket(Bucket=self._bucket)
        except ClientError as error:
            if _status(error) != MISSING:
                raise
            return True
        return False

    def _place(self) -> dict[str, Any]:
        """The argument for the region. AWS rejects us-east-1, its default, as an explicit one."""
        region = self._client.meta.region_name
        if region == "us-east-1":
            return {}
        return {"CreateBucketConfiguration": {"LocationConstraint": region}}


ABANDONED: Any = {
    "ID": "abandoned-uploads",
    "Status": "Enabled",
    "Filter": {"Prefix": INCOMING},
    "Expiration": {"Days": 1},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
}


def _cors(origins: list[str]) -> Any:
    return {
        "AllowedOrigins": origins,
        "AllowedMethods": ["GET", "POST"],
        "AllowedHeaders": ["*"],
        "MaxAgeSeconds": 3600,
    }


def _about(media_type: str) -> Any:
    """Metadata that makes the object an attachment, also where no `download_url` is used."""
    return {"ContentType": media_type, "ContentDisposition": "attachment"}


def _receipt(number: int, sent: Any) -> Any:
    """One part's entry in the request that completes a multipart upload, with its checksum."""
    sums = {name: sent[name] for name in sent if re.fullmatch(r"Checksum(CRC|SHA).*", name)}
    return {"PartNumber": number, "ETag": sent["ETag"], **sums}


def _parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join pieces of any length into parts of PART_BYTES; the last one may be shorter."""
    part = bytearray()
    for piece in pieces:
        part += piece
        while len(part) >= PART_BYTES:
            with memoryview(part) as view:
                whole = bytes(view[:PART_BYTES])
            del part[:PART_BYTES]
            yield whole
    if part:
        yield bytes(part)


def _digest(checksum: str) -> str | None:
    """Convert S3's SHA-256 to hexadecimal digits.

    Return None for a multipart upload, whose checksum is not that of the whole content.
    """
    return b64decode(checksum).hex() if checksum and "-" not in checksum else None


def _status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Translate faults of the store; an error of a wrong set-up, as a missing right, passes."""
    try:
        yield
    except ClientError as error:
        status = _status(error)
        if status == CHANGED:
            raise ContentChangedError from error
        if status == TOO_MANY or status >= FAILS:
            raise UnavailableError("The file store has a fault.") from error
        raise
    except (BotoCoreError, HTTPClientError) as error:
        raise UnavailableError("The file store does not answer.") from error

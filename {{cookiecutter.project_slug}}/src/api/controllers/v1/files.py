from typing import Annotated, Any
from urllib.parse import urljoin
from uuid import UUID

from dependency_injector.wiring import Provide, inject
from flask import Response, request, url_for

from chassis.core.paging import PageQuery
from chassis.core.storage.file_service import FileService
from chassis.core.storage.stored_file import StoredFile
from chassis.http.flow.blueprint import Blueprint
from chassis.http.input.streamed_body import body_pieces
from chassis.http.output.attachments import attachment_response
from chassis.http.output.pages import page
from src.api.requests import subject
from src.api.responses import created
from src.api.schemas.v1.file import FileInput, FileOutput, FilePage, FileQuery, UploadOutput

blueprint = Blueprint("files", __name__, url_prefix="/files")

Files = Annotated[FileService, Provide["file_service"]]


@blueprint.get("")
@blueprint.requires("files:read")
@blueprint.arguments(FileQuery, location="query")
@blueprint.response(200, FilePage)
@inject
def list_files(query: PageQuery, files: Files) -> dict[str, Any]:
    """List one's own files, the oldest first."""
    return page(lambda wanted: files.page(wanted, owner=subject()), query)


@blueprint.post("")
@blueprint.requires("files:write")
@blueprint.arguments(FileInput)
@blueprint.response(201, FileOutput)
@inject
def announce_file(body: dict[str, Any], files: Files) -> tuple[StoredFile, dict[str, str]]:
    """Announce a file: its name, and what its content will be."""
    file = files.announce(owner=subject(), **body)
    return created(file, url_for(".read_file", file_id=file.id))


@blueprint.get("/<uuid:file_id>")
@blueprint.requires("files:read")
@blueprint.response(200, FileOutput)
@inject
def read_file(file_id: UUID, files: Files) -> StoredFile:
    """Read what is known of a file."""
    return files.read(file_id, owner=subject())


@blueprint.get("/<uuid:file_id>/upload")
@blueprint.requires("files:write")
@blueprint.response(200, UploadOutput)
@inject
def read_upload(file_id: UUID, files: Files) -> dict[str, Any]:
    """Read where and how the content is to be sent."""
    form = files.upload_form(file_id, owner=subject())
    if form is None:
        url = urljoin(request.host_url, url_for(".send_content", file_id=file_id))
        return {"method": "PUT", "url": url, "form_fields": {}, "expires_at": None}
    return {
        "method": "POST",
        "url": form.url,
        "form_fields": form.fields,
        "expires_at": form.expires_at,
    }


@blueprint.post("/<uuid:file_id>/complete")
@blueprint.requires("files:write")
@blueprint.waits
@blueprint.response(200, FileOutput)
@inject
def complete_file(file_id: UUID, files: Files) -> StoredFile:
    """Check what was uploaded with the form, and keep it."""
    return files.complete(file_id, owner=subject())


@blueprint.put("/<uuid:file_id>/content")
@blueprint.requires("files:write")
@blueprint.streams("*/*")
@blueprint.response(200, FileOutput)
@inject
def send_content(file_id: UUID, files: Files) -> StoredFile:
    """Send the content through the API, where there is no form or it cannot be used."""
    return files.receive(file_id, body_pieces(), owner=subject())


@blueprint.get("/<uuid:file_id>/content")
@blueprint.requires("files:read")
@blueprint.waits
@blueprint.response(302)
@inject
def read_content(file_id: UUID, files: Files) -> Response:
    """Download the content: from the store's own address, where it has one."""
    file, url, pieces = files.download(file_id, owner=subject())
    if url:
        return Response(status=302, headers={"Location": url})
    return attachment_response(file.name, file.media_type, file.size, pieces)


@blueprint.delete("/<uuid:file_id>")
@blueprint.requires("files:write")
@blueprint.waits
@blueprint.response(204)
@inject
def delete_file(file_id: UUID, files: Files) -> None:
    """Delete a file and its content."""
    files.delete(file_id, owner=subject())

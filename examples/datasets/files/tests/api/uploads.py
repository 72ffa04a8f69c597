"""A file of this service, as a client makes it."""

from hashlib import sha256

from flask.testing import FlaskClient

FILES = "/prefix/v1/files"
TABLE = b"name,amount\ntea,3\n"


def announce(client: FlaskClient, content: bytes = TABLE) -> str:
    """The id of a file that awaits this content."""
    about = {"name": "table.csv", "media_type": "text/csv", "size": len(content)}
    response = client.post(FILES, json={**about, "sha256": sha256(content).hexdigest()})
    return str(response.get_json()["id"])


def upload(client: FlaskClient, content: bytes = TABLE) -> str:
    """The id of a file that has this content."""
    file_id = announce(client, content)
    response = client.put(f"{FILES}/{file_id}/content", data=content)
    if response.status_code != 200:
        raise AssertionError(response.text)
    return file_id

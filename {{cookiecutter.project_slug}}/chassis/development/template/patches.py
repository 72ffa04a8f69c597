"""Files of the chassis that differ from those of the template's version: patches of the team's.

Patches are allowed. An update of the template merges them, and may conflict with one.
"""

import json
from pathlib import Path

from chassis.development.template.record import TemplateError
from chassis.development.template.remember import MANIFEST, hashes


def patches(root: Path) -> list[str]:
    """Patched paths, each with the kind of change. Raise TemplateError without a manifest."""
    try:
        recorded: dict[str, str] = dict(json.loads((root / MANIFEST).read_text("utf-8")))
    except FileNotFoundError:
        raise TemplateError(
            f"{MANIFEST} is missing. The next `manage.py template update` brings it."
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise TemplateError(
            f"{MANIFEST} cannot be read ({error}). Take the file from the last commit: "
            f"git checkout HEAD -- {MANIFEST}"
        ) from error
    present = hashes(root)
    patched = [
        f"{path}  {'changed' if path in present else 'removed'}"
        for path, digest in recorded.items()
        if present.get(path) != digest
    ]
    return patched + [f"{path}  added" for path in present.keys() - recorded.keys()]

"""`destroy`: takes back exactly what a receipt names."""

import ast
from collections.abc import Iterator
from difflib import unified_diff

from chassis.development.generate import places
from chassis.development.generate.draft import Draft
from chassis.development.generate.module import formatted
from chassis.development.generate.receipt import Receipt, hashed, read_receipt, receipts
from chassis.development.generate.refusal import Refusal
from chassis.development.generate.resources import files
from chassis.development.generate.splice import remove


def take_back(draft: Draft, name: str, *, force: bool) -> list[Receipt]:
    """Draft the removal; return the receipts that it ends, newest first.

    Raise Refusal if the removal is impossible.
    """
    receipt = read_receipt(draft, name)
    resource, _, field = name.partition(".")
    if not receipt and field and read_receipt(draft, resource):
        raise Refusal(
            f"No command added {field} to {resource}: the field came with {resource}, or was "
            "written by hand. Remove the field by hand, or destroy the resource."
        )
    if not receipt:
        raise Refusal(f"{name} was not generated: there is no receipt of it in .generated.")
    if receipt.name != name:
        raise Refusal(f"There is no {name}. Did you mean {receipt.name}?")
    _require_unreferred(draft, receipt)
    ended = [one for one in receipts(draft) if one.name.startswith(f"{name}.")]
    ended = [*sorted(ended, key=lambda one: sorted(one.revisions), reverse=True), receipt]
    for one in ended:
        _take_out(draft, one, force=force)
    for one in ended:
        _delete_files(draft, one, force=force)
        draft.texts[one.path] = None
    _require_unused(draft)
    return ended


def _require_unreferred(draft: Draft, receipt: Receipt) -> None:
    if receipt.kind != "resource":
        return
    table = receipt.table
    for path in draft.files(places.MODELS):
        if path not in receipt.files and f'"{table}.id"' in draft.read(path):
            raise Refusal(f"{path} refers to {table}.{_advice(draft, path, table)}")


def _advice(draft: Draft, path: str, table: str) -> str:
    """Say what to destroy first: a field that was added later, else the whole resource."""
    of_fields = {
        one.name: f"field {one.name.replace('.', ' ')}"
        for one in receipts(draft)
        for line in one.insertions
        if line.path == path and f'"{table}.id"' in line.text
    }
    whole = [f"resource {one.name}" for one in receipts(draft) if path in one.files]
    first = [*of_fields.values(), *whole][:1]
    return "".join(f" First: python manage.py destroy {one}" for one in first)


def _take_out(draft: Draft, receipt: Receipt, *, force: bool) -> None:
    for insertion in receipt.insertions:
        before = draft.read(insertion.path)
        try:
            after = remove(before, insertion)
        except Refusal:
            if not (force and _is_deleted(draft, insertion.path)):
                raise
            continue
        draft.texts[insertion.path] = after
        follow(draft, receipt.name, insertion.path, before, after)


def _is_deleted(draft: Draft, path: str) -> bool:
    return any(path in one.files for one in receipts(draft))


def follow(draft: Draft, by: str, path: str, before: str, after: str) -> None:
    """Put the new hash into the receipt of an unedited file, which still counts as unedited."""
    for one in receipts(draft):
        if one.name != by and one.files.get(path) == hashed(before):
            one.files[path] = hashed(after)
            draft.texts[one.path] = one.text()


def _delete_files(draft: Draft, receipt: Receipt, *, force: bool) -> None:
    current = read_receipt(draft, receipt.name) or receipt
    texts = {path: draft.find(path) for path in current.files}
    edited = [path for path, text in texts.items() if text and hashed(text) != current.files[path]]
    if edited and not force:
        shown = "\n".join(_differences(draft, receipt, edited))
        raise Refusal(
            f"{', '.join(edited)}: edited after `generate`. Nothing was removed; --force removes "
            f"edited files, too.\n{shown}"
        )
    draft.texts.update(dict.fromkeys(texts, None))


def _differences(draft: Draft, receipt: Receipt, edited: list[str]) -> Iterator[str]:
    """Yield the team's edits as a diff against the generated text.

    Yield nothing for a file that this version would generate differently.
    """
    sources = {path: source for path, source in files(receipt.resource).items() if path in edited}
    for path, text in formatted(draft.root, sources).items():
        if hashed(text) == receipt.files[path]:
            before, now = text.splitlines(), draft.read(path).splitlines()
            yield from unified_diff(before, now, f"generated/{path}", path, lineterm="")


def _require_unused(draft: Draft) -> None:
    """Raise Refusal if other code imports a module that will be removed."""
    gone = {places.module_of(path) for path, text in draft.texts.items() if text is None}
    for folder in ("src", "tests"):
        for path in draft.files(folder):
            text = draft.read(path)
            if used := sorted(gone & set(_imported(text))):
                raise Refusal(f"{path} uses {', '.join(used)}. Remove the import first.")


def _imported(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)

"""A three-way merge of a Markdown document by its chapters instead of its lines."""

import re

from updates.pieces import ConflictError

TOP = ""  # The key of the text above the first chapter.


def merge(base: str, ours: str, new: str) -> str:
    """Apply the changes of `ours` to `new`. Raise ConflictError where both changed a chapter."""
    old, mine, now = (_chapters(text) for text in (base, ours, new))
    if not all((old, mine, now)):
        raise ConflictError("a chapter is there twice")
    order = list(now)
    for title, text in mine.items():
        if title in old and text.rstrip() == old[title].rstrip():
            continue
        if title not in now and title in old:
            raise ConflictError(
                f"the template no longer has the chapter, which you changed: {title}"
            )
        if title in now and now[title].rstrip() not in (old.get(title, "").rstrip(), text.rstrip()):
            now[title] = _appended(old.get(title, ""), text, now[title], title)
            continue
        if title not in now:
            before = [one for one in list(mine)[: list(mine).index(title)] if one in order]
            order.insert(order.index(before[-1]) + 1 if before else len(order), title)
        now[title] = text
    for title in old.keys() - mine.keys():
        if title in now:
            if now[title] != old[title]:
                raise ConflictError(f"the template changed the chapter, which you removed: {title}")
            order.remove(title)
    return "\n".join(now[title].strip("\n") + "\n" for title in order)


def _appended(old: str, mine: str, now: str, title: str) -> str:
    """Keep text that was added before or after a chapter, where the chapter itself changed."""
    old = old.strip("\n")
    if not old or mine.count(old) != 1:
        raise ConflictError(
            f"you and the template changed {title or 'the text above the chapters'}"
        )
    return mine.replace(old, now.strip("\n"))


def _chapters(text: str) -> dict[str, str]:
    """Return the chapters by heading; empty where a heading occurs twice."""
    parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    named = {part.partition("\n")[0] if part.startswith("## ") else TOP: part for part in parts}
    return named if len(named) == len(parts) else {}

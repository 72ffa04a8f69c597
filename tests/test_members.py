"""updates.members merges modules and documents that team and template changed."""

import pytest

from updates import members, sections
from updates.pieces import ConflictError

BASE = '''\
"""Ports."""

from abc import ABC

from src.todo import Todo


class Repository(ABC):
    pass


class UnitOfWork:
    """Repositories."""

    todos: Repository[Todo]


LIMIT = 1
'''
NEW = '''\
"""Ports."""

from chassis import persistence
from src.todo import Todo


class UnitOfWork(persistence.Transaction):
    """Repositories."""

    todos: persistence.Repository[Todo]


LIMIT = 1
'''
HOMES = {"Repository": "from chassis.persistence import Repository"}


def merge(ours: str, *, base: str = BASE, new: str = NEW) -> str:
    return members.Merge(base, ours, new, HOMES.get).run()


def test_an_added_member_goes_into_its_class_with_its_imports() -> None:
    ours = BASE.replace("[Todo]\n", "[Todo]\n    # Short ones.\n    notes: Repository[Note]\n")
    ours = ours.replace("from src.todo", "from src.note import Note\nfrom src.todo")

    assert merge(ours) == NEW.replace(
        "Repository[Todo]\n", "Repository[Todo]\n    # Short ones.\n    notes: Repository[Note]\n"
    ).replace(
        "persistence\nfrom src.todo",
        "persistence\nfrom chassis.persistence import Repository\n"
        "from src.note import Note\nfrom src.todo",
    )


def test_what_was_changed_or_removed_and_is_still_the_same_is_so_here_too() -> None:
    assert merge(BASE.replace("LIMIT = 1", "LIMIT = 2  # Ours.")).endswith("LIMIT = 2  # Ours.\n")
    assert "LIMIT" not in merge(BASE.replace("LIMIT = 1\n", ""))


def test_what_the_template_changed_and_the_team_did_not_is_the_templates() -> None:
    assert merge(BASE) == NEW


@pytest.mark.parametrize(
    ("ours", "reason"),
    [
        (BASE.replace("todos: Repository[Todo]", "todos: Own"), "todos was changed by you and"),
        (
            BASE.replace("    todos: Repository[Todo]\n", ""),
            "the template changed todos, which you removed",
        ),
        (
            BASE.replace("(ABC):\n    pass", "(ABC):\n    own = 1"),
            "no longer has Repository, which you changed",
        ),
        (BASE + "\n\ndef f() -> None:\n    unknown()\n", "unknown has no import in the project"),
        (BASE + "\n\nclass UnitOfWork:\n    pass\n", "has a statement twice"),
        (BASE.replace("class UnitOfWork:", "class UnitOfWork(Own):"), "the head of UnitOfWork"),
        (
            BASE.replace("LIMIT = 1\n", "LIMIT = 1\n# The end.\n"),
            "this line would be lost: # The end.",
        ),
        ('"""Our ports."""\n' + BASE.partition("\n")[2] + "# x\n", "this line would be lost: # x"),
    ],
)
def test_what_a_person_has_to_decide_is_said(ours: str, reason: str) -> None:
    with pytest.raises(ConflictError, match=reason):
        merge(ours)


def test_what_both_added_is_a_conflict_unless_it_is_the_same() -> None:
    added = "\nOWN = 3\n"
    assert merge(BASE + added, new=NEW + added) == NEW + added
    with pytest.raises(ConflictError, match="OWN was added by you and by the template"):
        merge(BASE + added, new=NEW + "\nOWN = 4\n")


def test_a_provider_names_what_is_inherited_through_its_class() -> None:
    base = "class Container:\n    config = 1\n    clock = Clock(config)\n"
    new = (
        "from chassis import ServiceContainer\n\n\nclass Container(ServiceContainer):\n    x = 1\n"
    )
    ours = base + "    mailer = Mailer(config.host, clock)\n"
    ours = "from src import Mailer\n\n\n" + ours.replace("Clock(config)", "Own(config)  # ö")
    ours = "from src import Own\n" + ours
    inherited = frozenset({"config", "clock"})

    merged = members.Merge(base, ours, new, HOMES.get, inherited).run()

    assert "    clock = Own(ServiceContainer.config)  # ö\n" in merged
    assert "    mailer = Mailer(ServiceContainer.config.host, clock)\n" in merged
    assert "from src import Mailer, Own\n" in merged


def test_a_statement_of_a_function_goes_where_its_neighbours_are() -> None:
    base = "def make():\n    app = a()\n    one(app)\n    two(app)\n    return app\n"
    new = "def make():\n    app = b()\n    two(app)\n    three(app)\n    return app\n"
    ours = base.replace("    two(app)\n", "    two(app)\n    app.own()  # Ours.\n")

    assert members.Merge(base, ours, new, HOMES.get).run() == new.replace(
        "    two(app)\n", "    two(app)\n    app.own()  # Ours.\n"
    )


def test_what_has_no_neighbour_goes_below_the_imports_and_before_a_return() -> None:
    base = '"""Names."""\n\n\ndef make():\n    old()\n    return 1\n'
    new = '"""Names."""\n\nimport new\n\n\ndef make():\n    new.thing()\n    return 1\n'
    ours = base.replace("\n\n\ndef make", "\n\nOWN = 1\n\n\ndef make")
    ours = ours.replace("    return 1\n", "    return 1\n    print()\n")

    merged = members.Merge(base, ours, new, HOMES.get).run()

    assert merged.index("import new") < merged.index("OWN = 1") < merged.index("def make")
    assert merged.index("print()") < merged.index("return 1")


def test_a_changed_comment_is_a_change() -> None:
    base, new = "A = 1  # Old.\n", "A = 1  # Old.\nB = 2\n"
    ours = base.replace("Old", "Ours")
    assert members.Merge(base, ours, new, HOMES.get).run() == "A = 1  # Ours.\nB = 2\n"


TABLE = (
    "from sql import Column, Index, Table\n\n"
    'todos = Table(\n    "todos",\n    Column("id"),\n    Index("title"),  # For pages.\n)\n'
)


def test_what_was_added_to_a_call_stays_in_it() -> None:
    def with_own(text: str) -> str:
        text = text.replace("Table\n", "Table, lower\n")
        line = '    Index("title")'
        return text.replace(line, f'    Index("at", lower()),  # Ours.\n{line}')

    new = TABLE.replace("# For pages.", "# For sorted pages.")
    assert members.Merge(TABLE, with_own(TABLE), new, HOMES.get).run() == with_own(new)
    for changed in (TABLE.replace('"id"', '"key"'), TABLE.replace('    Column("id"),\n', "")):
        with pytest.raises(ConflictError, match="todos was changed by you and by the template"):
            members.Merge(TABLE, changed, new, HOMES.get).run()


CHAPTERS = "# Name\n\nIntroduction.\n\n## Start\n\nRun.\n\n## End\n\nStop.\n"


def test_chapters_are_merged_by_their_headings() -> None:
    new = CHAPTERS.replace("Run.", "Run it.").replace("## End", "## Middle\n\nGo on.\n\n## End")
    ours = CHAPTERS.replace("Introduction.", "Ours.") + "\n## On call\n\nAsk.\n"

    assert sections.merge(CHAPTERS, ours, new) == new.replace("Introduction.", "Ours.") + (
        "\n## On call\n\nAsk.\n"
    )
    assert sections.merge(CHAPTERS, CHAPTERS, new) == new
    framed = CHAPTERS.replace("## Start\n\nRun.\n", "## Start\n\nRun.\n\nAnd look.\n")
    assert "Run it.\n\nAnd look.\n" in sections.merge(CHAPTERS, framed, new)


def test_a_chapter_that_both_changed_is_a_conflict() -> None:
    ours, new = CHAPTERS.replace("Run.", "Walk."), CHAPTERS.replace("Run.", "Run it.")
    with pytest.raises(ConflictError, match="changed ## Start"):
        sections.merge(CHAPTERS, ours, new)
    without = CHAPTERS.replace("## Start\n\nRun.\n\n", "")
    with pytest.raises(ConflictError, match="which you removed: ## Start"):
        sections.merge(CHAPTERS, without, new)
    with pytest.raises(ConflictError, match="no longer has the chapter"):
        sections.merge(CHAPTERS, ours, without)

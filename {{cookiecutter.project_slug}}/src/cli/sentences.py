"""What others say in their own words, and what to do then."""

from sqlalchemy.exc import DBAPIError

ALEMBIC_ADVICE = {
    "Target database is not up to date": "Run `python manage.py db upgrade` first.",
    "Can't locate revision": "This code has no such revision: it may be older than the database.",
    "Relative revision": "There are not that many revisions in that direction.",
}
# By SQLSTATE. https://www.postgresql.org/docs/current/errcodes-appendix.html
DATABASE_ADVICE = {
    "42501": "The role in DATABASE_URL may not do this.",
    "42P07": "The schema is not at the revision that the database says it is. If it is at another, "
    "run `python manage.py db stamp REVISION`.",
}


def with_advice(said: str) -> str:
    advice = [text for start, text in ALEMBIC_ADVICE.items() if said.startswith(start)]
    return " ".join([f"{said.rstrip('.')}.", *advice])


def database_sentence(error: DBAPIError) -> str:
    state = getattr(error.orig, "pgcode", None)
    reason = str(error.orig).strip().partition("\n")[0]
    if state is None:
        return f"The database does not answer. Check DATABASE_URL. ({reason})"
    return f"{DATABASE_ADVICE.get(state, 'The database refused this.')} ({reason})"

"""The table stored_file, which `db upgrade` creates without a revision."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, MetaData, Table, bindparam, select

from chassis.core.persistence import Clock
from chassis.core.storage.file_repository import FileRepository
from chassis.core.storage.stored_file import FileState, StoredFile
from chassis.postgres.columns import columns
from chassis.postgres.fast.statements import Statement
from chassis.postgres.sql_repository import SqlRepository

# A team's table refers to a file with ForeignKey(stored_files.c.id).
stored_files = Table("stored_file", MetaData(), *columns(StoredFile))
_of = stored_files.c
_NOTHING = UUID(int=0)

PENDING = Statement(
    stored_files.select()
    .where(_of.state == FileState.PENDING, _of.id > bindparam("after"))
    .where(_of.created_at < bindparam("before"))
    .order_by(_of.id)
    .limit(bindparam("most"))
)
READY_KEYS = Statement(
    select(_of.key)
    .where(_of.key > bindparam("after"), _of.state == FileState.READY)
    .order_by(_of.key)
    .limit(bindparam("most"))
)


class SqlFileRepository(SqlRepository[StoredFile], FileRepository):
    def __init__(self, connection: Connection, clock: Clock | None) -> None:
        super().__init__(connection, stored_files, StoredFile, clock)

    def pending(self, before: datetime, after: UUID | None, limit: int) -> list[StoredFile]:
        return self.entities(PENDING, before=before, after=after or _NOTHING, most=limit)

    def ready_keys(self, after: str, limit: int) -> list[str]:
        rows = READY_KEYS.rows(self._connection, {"after": after, "most": limit})
        return [key for (key,) in rows]

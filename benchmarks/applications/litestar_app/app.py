"""Litestar with its SQLAlchemy plugin and msgspec, as its documentation combines them.

https://docs.litestar.dev/2/usage/databases/sqlalchemy/plugins/sqlalchemy_init_plugin.html
"""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

import jwt
from advanced_alchemy.extensions.litestar import (
    AsyncSessionConfig,
    EngineConfig,
    SQLAlchemyAsyncConfig,
    SQLAlchemyInitPlugin,
)
from identity import uuid7
from litestar import Litestar, Request, Response, get, patch, post
from litestar.connection import ASGIConnection
from litestar.exceptions import ClientException, NotAuthorizedException, NotFoundException
from litestar.middleware import (
    AbstractAuthenticationMiddleware,
    AuthenticationResult,
    DefineMiddleware,
)
from litestar.pagination import OffsetPagination
from litestar.params import Parameter
from msgspec import Meta, Struct
from sqlalchemy import DateTime, String, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.orm.exc import StaleDataError


class Base(DeclarativeBase):
    pass


class Todo(Base):
    __tablename__ = "todos"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    title: Mapped[str] = mapped_column(String(200))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    version: Mapped[int] = mapped_column()

    __mapper_args__: ClassVar[dict[str, Any]] = {"version_id_col": version}


class TodoInput(Struct, forbid_unknown_fields=True):
    title: Annotated[str, Meta(min_length=1, max_length=200)]


class TodoOutput(Struct):
    id: UUID
    title: str
    completed_at: datetime | None
    version: int


class TodoPage(Struct):
    items: list[TodoOutput]
    next: UUID | None


def represent(todo: Todo) -> TodoOutput:
    return TodoOutput(todo.id, todo.title, todo.completed_at, todo.version)


@get("/health/live")
async def ping() -> dict[str, str]:
    return {"status": "ok"}


@get("/todos/{todo_id:uuid}", name="read_todo")
async def read_todo(todo_id: UUID, db_session: AsyncSession) -> TodoOutput:
    todo = await db_session.get(Todo, todo_id)
    if todo is None:
        raise NotFoundException
    return represent(todo)


@get("/todos")
async def list_todos(
    db_session: AsyncSession,
    limit: Annotated[int, Parameter(ge=1, le=100)] = 20,
    after: Annotated[UUID | None, Parameter(query="cursor")] = None,
) -> TodoPage:
    statement = select(Todo).order_by(Todo.id).limit(limit + 1)
    if after:
        statement = statement.where(Todo.id > after)
    found = [represent(todo) for todo in await db_session.scalars(statement)]
    items = found[:limit]
    return TodoPage(items, items[-1].id if len(found) > limit else None)


@get("/counted-todos")
async def list_counted(
    db_session: AsyncSession,
    limit: Annotated[int, Parameter(ge=1, le=100)] = 20,
    offset: Annotated[int, Parameter(ge=0)] = 0,
) -> OffsetPagination[TodoOutput]:
    total = await db_session.scalar(select(func.count()).select_from(Todo)) or 0
    statement = select(Todo).order_by(Todo.id).limit(limit).offset(offset)
    items = [represent(todo) for todo in await db_session.scalars(statement)]
    return OffsetPagination(items, limit, offset, total)


@post("/todos")
async def create_todo(
    data: TodoInput, db_session: AsyncSession, request: Request
) -> Response[TodoOutput]:
    async with db_session.begin():
        todo = Todo(title=data.title)
        db_session.add(todo)
    location = request.app.route_reverse("read_todo", todo_id=todo.id)
    return Response(represent(todo), status_code=201, headers={"Location": location})


@patch("/todos/{todo_id:uuid}")
async def update_todo(todo_id: UUID, data: TodoInput, db_session: AsyncSession) -> TodoOutput:
    try:
        async with db_session.begin():
            todo = await db_session.get(Todo, todo_id)
            if todo is None:
                raise NotFoundException
            todo.title = data.title
    except StaleDataError as error:
        raise ClientException(status_code=409) from error
    return represent(todo)


# asyncpg reads PGHOST and so on, as libpq does.
database = SQLAlchemyAsyncConfig(
    connection_string="postgresql+asyncpg://",
    session_config=AsyncSessionConfig(expire_on_commit=False),
    engine_config=EngineConfig(pool_size=int(os.environ["THREADS"]), max_overflow=0),
)


class Verified(AbstractAuthenticationMiddleware):
    """https://docs.litestar.dev/2/usage/security/abstract-authentication-middleware.html"""

    async def authenticate_request(self, connection: ASGIConnection) -> AuthenticationResult:
        _, _, token = connection.headers.get("Authorization", "").partition(" ")
        try:
            claims = jwt.decode(token, KEY, ["ES256"], audience=AUDIENCE, issuer=ISSUER)
        except jwt.PyJWTError as error:
            raise NotAuthorizedException from error
        return AuthenticationResult(user=claims["sub"], auth=claims)


if key_set := os.environ.get("JWT_JWKS_URL"):
    [KEY] = jwt.PyJWKSet.from_json(Path(urlsplit(key_set).path).read_text()).keys
    AUDIENCE, ISSUER = os.environ["JWT_AUDIENCE"], os.environ["JWT_ISSUER"]
app = Litestar(
    route_handlers=[ping, read_todo, list_todos, list_counted, create_todo, update_todo],
    plugins=[SQLAlchemyInitPlugin(database)],
    middleware=[DefineMiddleware(Verified, exclude="/health")] if key_set else [],
)

"""FastAPI with SQLAlchemy's asyncio extension, as their documentation combines them.

https://fastapi.tiangolo.com/tutorial/sql-databases/
https://docs.sqlalchemy.org/en/21/orm/extensions/asyncio.html
"""

import os
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from identity import uuid7
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import DateTime, String, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
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


class TodoInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=200)]


class TodoOutput(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    completed_at: datetime | None
    version: int


class TodoPage(BaseModel):
    items: list[TodoOutput]
    next: UUID | None


class CountedTodos(BaseModel):
    items: list[TodoOutput]
    total: int


# asyncpg reads PGHOST and so on, as libpq does.
engine = create_async_engine(
    "postgresql+asyncpg://", pool_size=int(os.environ["THREADS"]), max_overflow=0
)
new_session = async_sessionmaker(engine, expire_on_commit=False)


def verify(sent: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> None:
    """https://fastapi.tiangolo.com/tutorial/security/oauth2-jwt/"""
    try:
        jwt.decode(sent.credentials, KEY, ["ES256"], audience=AUDIENCE, issuer=ISSUER)
    except jwt.PyJWTError as error:
        raise HTTPException(401) from error


if key_set := os.environ.get("JWT_JWKS_URL"):
    [KEY] = jwt.PyJWKSet.from_json(Path(urlsplit(key_set).path).read_text()).keys
    AUDIENCE, ISSUER = os.environ["JWT_AUDIENCE"], os.environ["JWT_ISSUER"]
SECURITY = [Depends(verify)] if key_set else []
app = FastAPI()


async def get_session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]


@app.get("/health/live")
async def ping() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/todos/{todo_id}", response_model=TodoOutput, dependencies=SECURITY)
async def read_todo(todo_id: UUID, session: Session) -> Todo:
    todo = await session.get(Todo, todo_id)
    if todo is None:
        raise HTTPException(404)
    return todo


@app.get("/todos", response_model=TodoPage, dependencies=SECURITY)
async def list_todos(
    session: Session, limit: Annotated[int, Query(ge=1, le=100)] = 20, cursor: UUID | None = None
) -> dict[str, object]:
    statement = select(Todo).order_by(Todo.id).limit(limit + 1)
    if cursor:
        statement = statement.where(Todo.id > cursor)
    found = list(await session.scalars(statement))
    items = found[:limit]
    return {"items": items, "next": items[-1].id if len(found) > limit else None}


@app.get("/counted-todos", response_model=CountedTodos, dependencies=SECURITY)
async def list_counted(
    session: Session,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> dict[str, object]:
    total = await session.scalar(select(func.count()).select_from(Todo))
    found = await session.scalars(select(Todo).order_by(Todo.id).offset(offset).limit(limit))
    return {"items": found.all(), "total": total}


@app.post("/todos", response_model=TodoOutput, status_code=201, dependencies=SECURITY)
async def create_todo(
    body: TodoInput, session: Session, request: Request, response: Response
) -> Todo:
    todo = Todo(title=body.title)
    session.add(todo)
    await session.commit()
    response.headers["Location"] = str(request.url_for("read_todo", todo_id=todo.id))
    return todo


@app.patch("/todos/{todo_id}", response_model=TodoOutput, dependencies=SECURITY)
async def update_todo(todo_id: UUID, body: TodoInput, session: Session) -> Todo:
    todo = await session.get(Todo, todo_id)
    if todo is None:
        raise HTTPException(404)
    todo.title = body.title
    try:
        await session.commit()
    except StaleDataError as error:
        raise HTTPException(409) from error
    return todo

"""The one module that knows both the services and the implementations of their ports."""

from dependency_injector.providers import Singleton

from chassis import operations
from chassis.container import ServiceContainer, replaces
from chassis.core.jobs import JobService
from chassis.core.storage.file_service import FileService
from chassis.core.storage.file_sweep import FileSweep
from chassis.jobs.statistics import SqlJobStatistics
from chassis.jobs.task_wiring import wire_tasks
from chassis.postgres.unit_of_work_factory import SqlUnitOfWorkFactory
from chassis.storage.opening import open_scanner, open_store
from chassis.wiring import wire
from src import tasks
from src.api import controllers
from src.config import Config
from src.infrastructure.databases.unit_of_work import SqlUnitOfWork
from src.infrastructure.services.system_clock import SystemClock
from src.services.todo_service import TodoService


@replaces
class Container(ServiceContainer):
    """A provider replaces the provider of the same name in chassis/container.py, everywhere."""

    clock = Singleton(SystemClock)
    unit_of_work = Singleton(
        SqlUnitOfWorkFactory,
        ServiceContainer.engines,
        SqlUnitOfWork,
        ServiceContainer.database_probe,
        clock,
    )
    todo_service = Singleton(TodoService, unit_of_work, clock)
    job_service = Singleton(JobService, unit_of_work)
    job_statistics = Singleton(SqlJobStatistics, ServiceContainer.engines.provided.watch)
    file_store = Singleton(open_store, ServiceContainer.config)
    file_scanner = Singleton(open_scanner, ServiceContainer.config)
    file_service = Singleton(
        FileService,
        unit_of_work,
        file_store,
        file_scanner,
        types=ServiceContainer.config.provided.file_types,
        max_bytes=ServiceContainer.config.provided.max_file_bytes,
    )
    file_sweep = Singleton(FileSweep, unit_of_work, file_store, clock)


def build_container(config: Config) -> Container:
    container = Container(config=config)
    wire(container, operations, controllers)
    wire_tasks(container, tasks)
    return container

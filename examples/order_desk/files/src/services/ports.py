"""What the services ask of the infrastructure."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import TypeAlias

from chassis.core import persistence
from src.domain.models.customer import Customer
from src.domain.models.order import Order
from src.domain.models.product import Product
from src.domain.models.tag import Tag


class UnitOfWork(persistence.Transaction):
    """The repositories of one transaction."""

    customers: persistence.Repository[Customer]
    tags: persistence.Repository[Tag]
    products: persistence.Repository[Product]
    orders: persistence.Repository[Order]


UnitOfWorkFactory: TypeAlias = persistence.UnitOfWorkFactory[UnitOfWork]


class Clock(ABC):
    @abstractmethod
    def now(self) -> datetime:
        """The present moment, aware, in UTC."""


class Mailer(ABC):
    @abstractmethod
    def send(self, to: str, subject: str, text: str) -> None:
        """Raise OSError if nobody takes it."""

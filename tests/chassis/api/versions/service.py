from uuid import UUID

from chassis.development.testing.memory import MemoryRepository
from support.specimens import Specimen


class SpecimenService:
    """The service that both versions share."""

    def __init__(self) -> None:
        self._specimens = MemoryRepository[Specimen]({})

    def create(self, text: str) -> Specimen:
        specimen = Specimen(text=text)
        self._specimens.add(specimen)
        return specimen

    def get(self, specimen_id: UUID) -> Specimen:
        return self._specimens.get(specimen_id)

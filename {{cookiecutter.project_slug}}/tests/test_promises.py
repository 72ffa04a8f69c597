"""What the chassis promises, shown over this project's own operations, tables and revision_line."""

import src  # noqa: F401  # Hands the project to the chassis.
from chassis.development.testing.suites import (
    access_matrix,
    api_document,
    bad_inputs,
    lists,
    ownership,
    revision_line,
    stand_ins,
    start,
)


class AccessMatrixTest(access_matrix.AccessMatrixSuite):
    """Each operation serves the callers whom it declares, and nobody else."""


class BadInputsTest(bad_inputs.BadInputsSuite):
    """Each bad input gets a problem that says what is wrong with it."""


class ApiDocumentTest(api_document.ApiDocumentSuite):
    """The document names each operation, each error and this project."""


class ListsTest(lists.ListsSuite):
    """Each list has its indexes, and sends no statement more for twenty rows than for one."""

    elsewhere = frozenset({"/prefix/v1/files"})  # storage


class OwnershipTest(ownership.OwnershipSuite):
    """Name the collections whose members are their maker's alone in `owned`."""


class StartTest(start.StartSuite):
    """It starts as a server process does, with each of its switches, and with its seeds."""

    environment = {"S3_BUCKET": "storage"}


class StandInsTest(stand_ins.StandInsSuite):
    """What is tested on stand-ins holds on the database."""


class DriftTest(revision_line.DriftSuite):
    """The revisions make what the models say, and declare what they need."""


class StairwayTest(revision_line.StairwaySuite):
    """Each revision goes up, down and up again."""

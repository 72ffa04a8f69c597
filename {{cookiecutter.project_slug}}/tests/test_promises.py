"""The chassis's suites, over this project's own operations, tables and revisions."""

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
    """Each operation admits the callers that it declares, and nobody else."""


class BadInputsTest(bad_inputs.BadInputsSuite):
    """Each bad input gets a problem that names the mistake."""


class ApiDocumentTest(api_document.ApiDocumentSuite):
    """The document names each operation, each error and this project."""


class ListsTest(lists.ListsSuite):
    """Each list has its indexes, and needs no more statements for twenty rows than for one."""

    elsewhere = frozenset({"/prefix/v1/files"})  # storage


class OwnershipTest(ownership.OwnershipSuite):
    """List in `owned` the collections whose members belong to their maker."""


class StartTest(start.StartSuite):
    """The service starts as a server process, with all its switches, and with its seeds."""

    environment = {"S3_BUCKET": "storage"}


class StandInsTest(stand_ins.StandInsSuite):
    """The in-memory stand-ins behave like the database."""


class DriftTest(revision_line.DriftSuite):
    """The revisions make what the models have, and declare what they need."""


class StairwayTest(revision_line.StairwaySuite):
    """Each reversible revision goes up, down and up again."""

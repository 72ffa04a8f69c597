"""Faults of the service's neighbours, and a migration by its operators."""

import os
from typing import cast

import psycopg2  # type: ignore[import-untyped]

from proofs.chaos.fault_testbed import Fault, FaultTestbed
from proofs.chaos.neighbours import Disk, KeySet, Redis
from proofs.chaos.postgres import pause
from proofs.rehearsal.revisions import ADD_COLUMN

LASTS = 3.0
SLOW = 10.0


def store_gone(testbed: FaultTestbed) -> float:
    store = cast("Redis", testbed.neighbour)
    if not store.is_used():
        testbed.complaints.append("the store counts nothing")
    store.close()
    pause(LASTS)
    return store.start()


def keys_gone(testbed: FaultTestbed) -> float:
    keys = cast("KeySet", testbed.neighbour)
    before, keys.fails = keys.asked, True
    pause(LASTS)
    keys.fails = False
    if keys.asked == before:
        testbed.complaints.append("nobody asked for the keys")
    return testbed.recovered()


def keys_slow(testbed: FaultTestbed) -> float:
    keys = cast("KeySet", testbed.neighbour)
    before, keys.seconds = keys.asked, SLOW
    pause(LASTS)
    keys.seconds = 0
    if keys.asked == before:
        testbed.complaints.append("nobody asked for the keys")
    return testbed.recovered()


def migrated(testbed: FaultTestbed) -> float:
    name = f"chaos_migrating_{testbed.database.name}"
    migrating = testbed.base.variant(name, [ADD_COLUMN])
    migrating.run(testbed.database, "db", "upgrade")
    if testbed.database.revision() != migrating.head:
        testbed.complaints.append(f"it is at revision {testbed.database.revision()}")
    return testbed.recovered()


def disk_full(testbed: FaultTestbed) -> float:
    disk = cast("Disk", testbed.neighbour)
    os.chown(disk.folder / "table", testbed.postgres.owner, -1)
    space, database = f"small_{testbed.database.name}", testbed.database
    database.rows(f"CREATE TABLESPACE {space} LOCATION '{disk.folder / 'table'}'")
    database.rows(f"ALTER TABLE todos SET TABLESPACE {space}")
    ballast = disk.fill()
    refused = ""
    fill = "INSERT INTO todos (id, title, version) SELECT gen_random_uuid(), repeat('x', 60), 1"
    try:
        while not refused:  # The table's last pages may have free space.
            database.rows(f"{fill} FROM generate_series(1, 10)")
    except psycopg2.errors.DiskFull as error:
        refused = str(error)
    pause(LASTS)
    ballast.unlink()
    ended = testbed.recovered()
    pause(1.2)
    database.rows("ALTER TABLE todos SET TABLESPACE pg_default")
    database.rows(f"DROP TABLESPACE {space}")
    return ended


FAULTS = {
    "redis": Fault("Redis down", store_gone, around=Redis, felt=False),
    "jwks": Fault("JWKS down", keys_gone, around=KeySet, felt=False, slowest=1),
    "jwksslow": Fault("JWKS slow", keys_slow, around=KeySet, felt=False, slowest=1),
    "migration": Fault("a migration at the same time", migrated, felt=False),
    "disk": Fault("disk full", disk_full, around=Disk),
}

"""What the neighbours of the service do to it; and what its operators do while it serves."""

import os
from typing import cast

import psycopg2  # type: ignore[import-untyped]

from proofs.chaos.neighbours import Disk, KeySet, Redis
from proofs.chaos.postgres import pause
from proofs.chaos.scene import Fault, Scene
from proofs.revisions import ADD_COLUMN

LASTS = 3.0
SLOW = 10.0


def store_gone(scene: Scene) -> float:
    store = cast("Redis", scene.neighbour)
    if not store.is_used():
        scene.complaints.append("the store counts nothing")
    store.close()
    pause(LASTS)
    return store.start()


def keys_gone(scene: Scene) -> float:
    keys = cast("KeySet", scene.neighbour)
    before, keys.fails = keys.asked, True
    pause(LASTS)
    keys.fails = False
    if keys.asked == before:
        scene.complaints.append("nobody asked for the keys")
    return scene.recovered()


def keys_slow(scene: Scene) -> float:
    keys = cast("KeySet", scene.neighbour)
    before, keys.seconds = keys.asked, SLOW
    pause(LASTS)
    keys.seconds = 0
    if keys.asked == before:
        scene.complaints.append("nobody asked for the keys")
    return scene.recovered()


def migrated(scene: Scene) -> float:
    name = f"chaos_migrating_{scene.database.name}"
    migrating = scene.stage.variant(name, [ADD_COLUMN])
    migrating.run(scene.database, "db", "upgrade")
    if scene.database.revision() != migrating.head:
        scene.complaints.append(f"it is at revision {scene.database.revision()}")
    return scene.recovered()


def disk_full(scene: Scene) -> float:
    disk = cast("Disk", scene.neighbour)
    os.chown(disk.folder / "table", scene.postgres.owner, -1)
    space, database = f"small_{scene.database.name}", scene.database
    database.rows(f"CREATE TABLESPACE {space} LOCATION '{disk.folder / 'table'}'")
    database.rows(f"ALTER TABLE todos SET TABLESPACE {space}")
    ballast = disk.fill()
    refused = ""
    fill = "INSERT INTO todos (id, title, version) SELECT gen_random_uuid(), repeat('x', 60), 1"
    try:
        while not refused:  # There may be room in the pages that are there.
            database.rows(f"{fill} FROM generate_series(1, 10)")
    except psycopg2.errors.DiskFull as error:
        refused = str(error)
    pause(LASTS)
    ballast.unlink()
    ended = scene.recovered()
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

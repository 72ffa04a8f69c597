"""The service starts as a server process, with all its switches, and with its seeds."""

import os
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from importlib import import_module
from pkgutil import walk_packages
from typing import ClassVar

from sqlalchemy import create_engine, func, select

from chassis.development.testing.http_cases import SETTINGS, ApplicationTestCase
from chassis.project import current_project
from chassis.settings import PRODUCTION

SECONDS_TO_START = 60


class StartSuite(ApplicationTestCase):
    # More settings that the service needs in production.
    environment: ClassVar[dict[str, str]] = {}

    def test_it_serves_until_it_is_terminated(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        settings = {
            "ENVIRONMENT": PRODUCTION,
            "SECRET_KEY": SETTINGS["secret_key"],
            "DATABASE_URL": self.database_url,
            "POSTGRES_SERVER": "",  # A developer may have set another server.
        }
        command = [sys.executable, "manage.py", "serve", "--port", str(port)]
        with subprocess.Popen(
            command,
            cwd=current_project().root,
            env=os.environ | settings | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            deadline, ready = time.monotonic() + SECONDS_TO_START, False
            while not ready and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
                ready = _is_ready(port)
            process.terminate()
            output, _ = process.communicate()
        self.assertEqual((ready, process.returncode), (True, 0), output)

    def test_it_is_ready_with_every_switch_on(self) -> None:
        client = self.start(
            proxy_hops=1,
            database_read_url=self.database_url,
            cors_origins=["https://app.example.org"],
            jwt_jwks_url="http://127.0.0.1:1/keys",
            jwt_issuer="https://issuer.example.org",
            jwt_audience="tests",
        )
        client.application.extensions["container"].authenticator()
        answer = client.get("/health/ready")
        self.assertEqual(answer.status_code, 200, answer.text)

    def test_every_module_can_be_imported(self) -> None:
        """Unused modules are imported, too; only a server process imports `app`."""
        package = current_project().module("create_app").__package__
        modules = walk_packages(import_module(package).__path__, f"{package}.")
        for name in [module.name for module in modules if module.name != f"{package}.app"]:
            with self.subTest(name):
                import_module(name)

    def test_seeding_twice_is_seeding_once(self) -> None:
        project = current_project()
        container = self.client.application.extensions["container"]
        counts = []
        for _ in range(2):
            for name in project.modules("seeds"):
                project.module(f"seeds.{name}").seed(container)
            counts.append(self._rows())
        self.assertEqual(*counts)

    def _rows(self) -> dict[str, int]:
        """The number of rows of each table."""
        if not self.database_url:
            return {}
        engine = create_engine(self.database_url)
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            return {
                name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in current_project().metadata.tables.items()
            }


def _is_ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()

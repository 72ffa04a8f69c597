"""A RabbitMQ that a proof may kill and freeze: a container, or the distribution's package."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from proofs.harness.processes import free_port

IMAGE = "rabbitmq:4-alpine"
PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # Debian's.
START_SECONDS = 120
# RabbitMQ 4.3 permits these no longer; earlier ones do unless they are told not to.
# https://www.rabbitmq.com/docs/deprecated-features
REFUSED = "#{transient_nonexcl_queues=>false,global_qos=>false}"
ARGUMENTS = f"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-rabbit permit_deprecated_features {REFUSED}"


def run(*command: str, check: bool = True) -> str:
    result = subprocess.run(command, check=check, capture_output=True, text=True, timeout=120)
    return result.stdout.strip()


def has_docker() -> bool:
    try:
        return bool(run("docker", "images", "--quiet", IMAGE, check=False))
    except (OSError, subprocess.SubprocessError):
        return False


def has_broker() -> bool:
    return has_docker() or PROGRAM.exists()


def find_broker() -> "DockerBroker | LocalBroker | None":
    """Return the container where its image exists, else the package's broker, else None."""
    if has_docker():
        return DockerBroker()
    return LocalBroker() if PROGRAM.exists() else None


class DockerBroker:
    """RabbitMQ in a container, which refuses what version 4.3 refuses.

    A restart starts the same container, so its data survive.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.name = f"proof-{uuid4().hex[:8]}"
        run(
            *("docker", "run", "--detach", "--name", self.name, "--hostname", "proof"),
            *("--publish", f"127.0.0.1:{self.port}:5672", "--env", ARGUMENTS, IMAGE),
        )
        with removed_after_failure(self):
            self.wait()
            self.version = run("docker", "exec", self.name, "rabbitmqctl", "version")

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def kill(self) -> None:
        run("docker", "kill", "--signal", "KILL", self.name)

    def start(self) -> None:
        run("docker", "start", self.name)

    def freeze(self) -> None:
        run("docker", "pause", self.name)

    def thaw(self) -> None:
        run("docker", "unpause", self.name)

    def wait(self) -> None:
        wait_for_greeting(self.port)

    def remove(self) -> None:
        run("docker", "rm", "--force", "--volumes", self.name)


class LocalBroker:
    """The distribution's RabbitMQ with a data folder of its own, on loopback."""

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="broker-"))
        (self._folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n")
        self._process: subprocess.Popen[bytes] | None = None
        self.version = f"{run('dpkg-query', '-W', '-f', '${Version}', 'rabbitmq-server')} (Debian)"
        with removed_after_failure(self):
            self.start()
            self.wait()

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        variables = {
            "RABBITMQ_NODENAME": f"proof{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_PID_FILE": str(self._folder / "pid"),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "HOME": str(self._folder),
        }
        self._process = subprocess.Popen(
            [PROGRAM],
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        if self._process:
            self._process.wait()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def wait(self) -> None:
        wait_for_greeting(self.port)

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to the processes that this broker started, and to no others."""
        if self._process:
            os.killpg(self._process.pid, number)


@contextmanager
def removed_after_failure(broker: DockerBroker | LocalBroker) -> Iterator[None]:
    """Remove a broker whose start fails, or is ended by SIGTERM: nobody else knows it yet."""
    try:
        yield
    except BaseException:
        broker.remove()
        raise


def wait_for_greeting(port: int) -> None:
    """Wait until the broker speaks AMQP: it answers a wrong greeting with its version."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                if connection.recv(1):
                    return
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"RabbitMQ did not answer in {START_SECONDS} s.")

"""The application, built when this module is imported: what a server process does first."""

import atexit
import logging
import multiprocessing
import os
import signal
import time
from multiprocessing.process import BaseProcess
from threading import Thread

from chassis.bootstrap import build
from chassis.jobs.in_process import do_jobs_here
from src.config import Config
from src.create_app import create_app


def stop_after(parent: BaseProcess) -> None:
    """A killed parent stops nobody, and what it leaves behind would keep its port."""
    # Not `join`: forked processes hold each other's ends of what that waits for.
    while os.getppid() == parent.pid:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def end() -> None:
    """The last thing that happens. Python would end the server's threads, and they panic then."""
    logging.shutdown()  # It would come later.
    os._exit(0)


if parent := multiprocessing.parent_process():
    atexit.register(end)
app = build(create_app, Config)
do_jobs_here(app)  # In development, where there is no broker.
if parent:
    Thread(target=stop_after, args=[parent], daemon=True).start()

"""The application of a server process, built when the process imports this module."""

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
    """End this process when its parent was killed: it would keep the port of the service."""
    # `join` would wait for ever: it watches a pipe whose ends the other processes inherited.
    while os.getppid() == parent.pid:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def end() -> None:
    """Exit at once: if Python ended the server's threads first, they would panic."""
    logging.shutdown()  # os._exit skips the handler that would do this.
    os._exit(0)


if parent := multiprocessing.parent_process():
    atexit.register(end)
app = build(create_app, Config)
do_jobs_here(app)  # Does nothing where there is a broker.
if parent:
    Thread(target=stop_after, args=[parent], daemon=True).start()

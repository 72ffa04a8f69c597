"""The application of a server process, built when the process imports this module."""

from chassis.bootstrap import build
from chassis.jobs.in_process import do_jobs_here
from src.config import Config
from src.create_app import create_app

app = build(create_app, Config)
do_jobs_here(app)  # Does nothing where there is a broker.

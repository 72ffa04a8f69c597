"""The application, built when this module is imported: what a server process does first."""

from src.bootstrap import load_config_with_database
from src.create_app import create_app

app = create_app(load_config_with_database())

import code
from importlib import import_module
from pkgutil import iter_modules

import click

import src.seeds
from src.bootstrap import load_config_with_database
from src.cli.readiness import require_ready_database
from src.config import describe, load_config
from src.dependency_container import Container


@click.command()
def routes() -> None:
    """List every route: its methods, path and the function that answers."""
    from src.create_app import create_app  # noqa: PLC0415  # No other command needs Flask.

    app = create_app(load_config_with_database())
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        methods = ",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        click.echo(f"{methods:<8}{rule.rule}  {rule.endpoint}")


@click.command()
def shell() -> None:
    """Open Python with the dependency container, as `container`."""
    container = Container(config=load_config_with_database())
    banner = "container: " + ", ".join(sorted(container.providers))
    code.interact(banner=banner, local={"container": container}, exitmsg="")


@click.command()
def seed() -> None:
    """Fill a development database: run `seed` of every module in src/seeds."""
    config = load_config_with_database()
    require_ready_database(config)
    container = Container(config=config)
    names = [module.name for module in iter_modules(src.seeds.__path__)]
    for name in names:
        import_module(f"src.seeds.{name}").seed(container)
        click.echo(f"Seeded {name}.")
    if not names:
        click.echo("Nothing to do: src/seeds has no module with a function seed(container).")


@click.command()
def config() -> None:
    """Show every setting, its value and where that comes from; secrets are masked."""
    for name, value, source in describe(load_config(complete=False)):
        click.echo(f"{name}={value}  ({source})")

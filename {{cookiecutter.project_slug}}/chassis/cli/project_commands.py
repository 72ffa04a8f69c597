import code

import click

from chassis.bootstrap import load_config_with_database
from chassis.cli.readiness import require_ready_database
from chassis.project import current_project
from chassis.settings import describe, load_config, misspelt


@click.command()
def routes() -> None:
    """List every route: its methods, path and the function that answers."""
    project = current_project()
    app = project.create_app(load_config_with_database(project.config_type))
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        methods = ",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        click.echo(f"{methods:<8}{rule.rule}  {rule.endpoint}")


@click.command()
def shell() -> None:
    """Open Python with the dependency container, as `container`."""
    project = current_project()
    container = project.build_container(load_config_with_database(project.config_type))
    banner = "container: " + ", ".join(sorted(container.providers))
    code.interact(banner=banner, local={"container": container}, exitmsg="")


@click.command()
def seed() -> None:
    """Fill a development database: run `seed` of every module in src/seeds."""
    project = current_project()
    config = load_config_with_database(project.config_type)
    require_ready_database(config)
    container = project.build_container(config)
    names = list(project.modules("seeds"))
    for name in names:
        project.module(f"seeds.{name}").seed(container)
        click.echo(f"Seeded {name}.")
    if not names:
        click.echo("Nothing to do: src/seeds has no module with a function seed(container).")


@click.command()
def config() -> None:
    """Show every setting, its value and its source; secrets are masked."""
    kind = current_project().config_type
    for name, value, source in describe(load_config(kind, complete=False)):
        click.echo(f"{name}={value}  ({source})")
    for sentence in misspelt(kind):
        click.echo(sentence, err=True)

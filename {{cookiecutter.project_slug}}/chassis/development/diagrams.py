"""Draws the diagrams of docs/architecture.md from the code, with the standard library alone.

`python -m chassis.development.diagrams write` in a project writes them anew; tests/unit fails where
the page shows something else than the code does.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

PAGE = Path("docs/architecture.md")
CHASSIS = Path(__file__).parents[1]  # The project may use the chassis as a wheel.
BLOCK = re.compile(r"(<!-- drawn: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
KEY = r"^{}([\w-]+):(?: .*)?$"  # A YAML key at one indentation.
WAITS = re.compile(r"^ +([\w-]+): \{ condition: service_(\w+) \}$", re.MULTILINE)
PARTS = ("expand", "application", "contract")


def rings(root: Path) -> str:
    """The rings of `src`, from the import-linter contract in pyproject.toml."""
    return _layers(root, root / "src")


def rooms(root: Path) -> str:
    """The packages of `chassis`, from the import-linter contract in pyproject.toml."""
    return _layers(root, CHASSIS)


def steps(root: Path) -> str:
    """The steps of a request and their reasons, from the list in src/api/middleware.py."""
    source = (root / "src/api/middleware.py").read_text("utf-8")
    lines = source.splitlines()
    returned = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Return)]
    [listed] = [node.value for node in returned if isinstance(node.value, ast.List)]
    nodes = []
    for number, step in enumerate(listed.elts):
        named = step.func if isinstance(step, ast.Call) else step
        _, _, reason = lines[step.lineno - 1].partition("  # ")
        text = "<br/>".join(
            part for part in (ast.unparse(named).rpartition(".")[2], reason) if part
        )
        nodes.append(f"s{number}[{_quoted(text)}]")
    return _flow("TD", ["request([request])", *nodes, "view([view])"])


def pipelines(root: Path) -> str:
    """The jobs of each pipeline and what each waits for, from the pipelines' own files."""
    edges: list[str] = []
    for path in sorted((root / ".github/workflows").glob("*.yml")):
        jobs = _entries(path.read_text("utf-8").partition("\njobs:\n")[2], "  ")
        edges += _jobs(path.stem, jobs)
    gitlab = root / ".gitlab-ci.yml"
    if gitlab.exists():
        every = _entries(gitlab.read_text("utf-8"), "")
        staged = {name: body for name, body in every.items() if "\n  stage: " in body}
        edges += _jobs("gitlab", staged)
    if not edges:
        return "This project has no pipelines."
    return f"{_chart('LR', edges)}\n\n[pipelines.md](pipelines.md) says what each job runs."


def deployment(root: Path) -> str:
    """The services of compose.yaml and, in a cluster, the parts of a rollout."""
    shared, _, compose = (root / "compose.yaml").read_text("utf-8").partition("\nservices:\n")
    anchors = {f"*{name[2:]}": body for name, body in _entries(shared, "").items()}  # x-NAME: &NAME
    edges = []
    for name, body in _entries(compose, "  ").items():
        if "\n    profiles:" in body:  # Services for tests and development only.
            continue
        merged = re.search(r"^    <<: (\*\w+)$", body, re.MULTILINE)
        inherited = anchors.get(merged[1], "") if merged and "depends_on:" not in body else ""
        for other, condition in WAITS.findall(body + inherited):
            edges.append(f'{name} -- "waits until {condition.replace("_", " ")}" --> {other}')
    drawn = _chart("LR", edges)
    overlay = root / "deploy/overlays/production"
    if overlay.exists():
        nodes = [f"{part}[{_quoted(_resources(overlay / part))}]" for part in PARTS]
        drawn += f"\n\nIn a cluster, each part waits for the one before:\n\n{_flow('LR', nodes)}"
    return drawn


DRAWINGS: dict[str, Callable[[Path], str]] = {
    "rings": rings,
    "rooms": rooms,
    "steps": steps,
    "pipelines": pipelines,
    "deployment": deployment,
}


def drawn(root: Path) -> str:
    """The page, with each block as the code has it now."""
    page = (root / PAGE).read_text("utf-8")
    return BLOCK.sub(lambda match: f"{match[1]}\n{DRAWINGS[match[2]](root)}\n\n{match[3]}", page)


def is_true(root: Path) -> bool:
    """Whether the diagrams of the page agree with the code."""
    return (root / PAGE).read_text("utf-8") == drawn(root)


def _layers(root: Path, package: Path) -> str:
    """A node for each layer that exists, the outermost first; an arrow is an allowed import."""
    text = (root / "pyproject.toml").read_text("utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    [layers] = [one["layers"] for one in contracts if one.get("containers") == [package.name]]
    boxes = []
    for layer in layers:
        names = [name.strip(" ()") for name in re.split(r"[|:]", layer)]
        there = [name for name in names if _exists(package / name)]
        if there:
            boxes.append(f"{there[0]}_layer[{_quoted(', '.join(there))}]")
    return _flow("TD", boxes)


def _exists(module: Path) -> bool:
    return module.is_dir() or module.with_suffix(".py").is_file()


def _entries(text: str, indent: str) -> dict[str, str]:
    """The keys at one indentation of a YAML file, each with its lines."""
    entries: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if key := re.match(KEY.format(indent), line):
            name = key[1]
            entries[name] = ""
        elif line and not line.startswith((f"{indent} ", "#")):
            name = ""
        if name:
            entries[name] += f"{line}\n"
    return entries


def _jobs(pipeline: str, jobs: dict[str, str]) -> Iterator[str]:
    for name, body in jobs.items():
        needs = re.search(r"^ +needs: \[?([\w, -]+)\]?$", body, re.MULTILINE)
        others = [other for other in (needs[1].split(", ") if needs else []) if other in jobs]
        if not others:
            yield f"{pipeline}([{pipeline}]) --> {pipeline}_{name}[{name}]"
        for other in others:
            yield f"{pipeline}_{other} --> {pipeline}_{name}[{name}]"


def _resources(kustomization: Path) -> str:
    """The name of a kustomization, and the kinds of its objects."""
    return f"{kustomization.name}<br/>{', '.join(dict.fromkeys(_kinds(kustomization)))}"


def _kinds(folder: Path) -> Iterator[str]:
    text = (folder / "kustomization.yaml").read_text("utf-8")
    listed = re.search(r"^resources:(.*(?:\n  - .*)*)", text, re.MULTILINE)
    for name in re.findall(r"[\w./-]*\w", listed[1] if listed else ""):
        path = folder / name
        if path.is_dir():
            yield from _kinds(path)
        else:
            yield from re.findall(r"^kind: (\w+)$", path.read_text("utf-8"), re.MULTILINE)


def _flow(direction: str, nodes: list[str]) -> str:
    """Each node leads to the next; a node is a name and, in brackets, what it shows."""
    names = [re.split(r"[\[(]", node)[0] for node in nodes]
    return _chart(direction, [*nodes, " --> ".join(names)])


def _chart(direction: str, statements: list[str]) -> str:
    lines = "".join(f"    {line}\n" for line in statements)
    return f"```mermaid\nflowchart {direction}\n{lines}```"


def _quoted(text: str) -> str:
    return '"{}"'.format(text.replace('"', "#quot;"))


if __name__ == "__main__":
    here = Path.cwd()
    if sys.argv[1:] != ["write"]:
        sys.exit("Usage: python -m chassis.development.diagrams write")
    (here / PAGE).write_text(drawn(here), "utf-8", newline="\n")

import sys
from pathlib import Path

from updates.resolve import resolve
from updates.steps import run


def main(root: Path, done: frozenset[str]) -> None:
    """Resolve conflicts, run the steps that are not `done`, and print each changed path."""
    for name, reason in resolve(root):
        if not reason:
            print(f"merged\t{name}")
    for name in run(root, done):
        print(f"renamed\t{name}")


if __name__ == "__main__":
    if not sys.argv[1:] or not Path(sys.argv[1]).is_dir():
        sys.exit("Name the folder of a project: python -m updates.steps PROJECT")
    main(Path(sys.argv[1]).resolve(), frozenset(sys.argv[2:]))

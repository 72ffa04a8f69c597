import sys
from pathlib import Path

from updates.steps import run

if __name__ == "__main__":
    if not sys.argv[1:] or not Path(sys.argv[1]).is_dir():
        sys.exit("Name the folder of a project: python -m updates.steps PROJECT")
    for name in run(Path(sys.argv[1]).resolve(), frozenset(sys.argv[2:])):
        print(name)

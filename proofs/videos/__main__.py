"""Ask the videos of examples/videos end to end, on the real servers.

python -m proofs.videos [--project DIR]

DIR is the project that `make examples NAME=videos INTO=…` has built; without it one is built and
removed afterwards. PostgreSQL is the embedded one, the store SeaweedFS, the broker RabbitMQ; relay
and worker are processes. granian and gunicorn are each asked the same: a video is uploaded
and processed, and what is not as it was announced is refused, by the store or by the check. 50 MB
go through both ways of uploading, in flat memory.
"""

from pathlib import Path

from proofs.examples import Build, Recipe
from proofs.harness.entry import parser, run_in, temporary_folder
from proofs.harness.processes import run_main

RUN = "proofs.videos.videos_run"


def main() -> int:
    given: Path | None = parser("videos", __doc__).parse_args().project
    if given:
        return run_in(given.resolve(), RUN, str(given.resolve()))
    with temporary_folder("videos") as folder:
        project = Build(Recipe.read("videos"), folder, print).make()
        return run_in(project, RUN, str(project))


if __name__ == "__main__":
    run_main(main)

"""The JSON document of `holdfast ci matrix`: the jobs for a CI system."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.app.selection import naming
from holdfast_orchestrator.report.copying import copied


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixJob:
    """One job: a shard, its account and region, and its command.

    `role_arn` is the role that the shard's provider assumes, if the app names one.
    """

    shard: str
    service: str
    environment: str
    account: str
    region: str
    role_arn: str | None
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixWave:
    """The jobs that can run at once, under the key that a job matrix of GitHub Actions reads."""

    include: tuple[MatrixJob, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixDocument:
    """`holdfast ci matrix --json`; `waves` run one after another, each with at most `limit` jobs."""

    schema: Literal["holdfast/ci-matrix/v1"] = "holdfast/ci-matrix/v1"
    limit: int
    waves: tuple[MatrixWave, ...]


def matrix_document(
    waves: Sequence[Sequence[Shard]], *, limit: int, verb: str, project: Sequence[str] = ()
) -> MatrixDocument:
    """Return the document for these waves.

    `verb` is the command of each job (plan, deploy); `project` are the options that say where the app and
    its states are.
    """
    return MatrixDocument(
        limit=limit,
        waves=tuple(
            MatrixWave(include=tuple(_job(shard, verb=verb, project=project) for shard in wave))
            for wave in waves
        ),
    )


def _job(shard: Shard, *, verb: str, project: Sequence[str]) -> MatrixJob:
    yes = ("--yes",) if verb == "deploy" else ()
    command = shlex.join(("holdfast", verb, *yes, *naming(shard), *project))
    return copied(MatrixJob, shard, shard=shard.name, command=command)

"""The JSON document of `holdfast ci matrix`: what a CI makes its jobs of."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.app.selection import naming


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixJob:
    """One job: a shard, where it lies, and the command for it.

    `role_arn` is what its provider assumes, None where the app names none.
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
    """The jobs that can run at once, under the name a job matrix of GitHub Actions wants."""

    include: tuple[MatrixJob, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixDocument:
    """`holdfast ci matrix --json`; `waves` follow one another, none has more than `limit` jobs."""

    schema: Literal["holdfast/ci-matrix/v1"] = "holdfast/ci-matrix/v1"
    limit: int
    waves: tuple[MatrixWave, ...]


def matrix_document(
    waves: Sequence[Sequence[Shard]], *, limit: int, verb: str, project: Sequence[str] = ()
) -> MatrixDocument:
    """Return the document for these waves.

    `verb` is what each job does with its shard (plan, deploy), `project` the options that say where the app
    is and where it keeps its states.
    """
    return MatrixDocument(
        limit=limit,
        waves=tuple(
            MatrixWave(include=tuple(_job(shard, verb=verb, project=project) for shard in wave))
            for wave in waves
        ),
    )


def _job(shard: Shard, *, verb: str, project: Sequence[str]) -> MatrixJob:
    return MatrixJob(
        shard=shard.name,
        service=shard.service,
        environment=shard.environment,
        account=shard.account,
        region=shard.region,
        role_arn=shard.role_arn,
        command=shlex.join(("holdfast", verb, *_yes(verb), *naming(shard), *project)),
    )


def _yes(verb: str) -> tuple[str, ...]:
    return ("--yes",) if verb == "deploy" else ()

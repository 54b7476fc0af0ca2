"""Which jobs of a CI may take a role: the identity provider, the audience, and exact subjects.

GitHub: "OpenID Connect reference", docs.github.com. A repository that was created, renamed or moved after
2026-07-15 has the ids of owner and repository in its subject; so where the settings have them, both forms are
let in. GitLab: "OpenID Connect in AWS", docs.gitlab.com.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast_constructs.settings.foundation import Github, Gitlab

GITHUB_HOST, GITHUB_AUDIENCE = "token.actions.githubusercontent.com", "sts.amazonaws.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A CI: `apply` and `plan` are the subjects that may take each role, compared letter by letter.

    `plan_like` are patterns, for the only thing that is not exact: the branch of a merge request.
    """

    name: str
    host: str
    audience: str
    apply: tuple[str, ...]
    plan: tuple[str, ...]
    plan_like: tuple[str, ...] = ()


def github_identity(settings: Github, environment: str) -> Identity:
    """Return the identity of a repository's jobs: those of a GitHub environment apply, pull requests plan."""
    job = f"environment:{settings.environment or environment}"
    return Identity(
        name="github",
        host=GITHUB_HOST,
        audience=GITHUB_AUDIENCE,
        apply=tuple(f"repo:{form}:{job}" for form in _forms(settings)),
        plan=tuple(
            f"repo:{form}:{job}"
            for form in _forms(settings)
            for job in ("pull_request", f"ref:refs/heads/{settings.branch}")
        ),
    )


def gitlab_identity(settings: Gitlab) -> Identity:
    """Return the identity of a project's jobs: those of the protected branch apply, those of any plan."""
    branches = f"project_path:{settings.project}:ref_type:branch:ref:"
    return Identity(
        name="gitlab",
        host=settings.host,
        audience=settings.audience or f"https://{settings.host}",
        apply=(f"{branches}{settings.branch}",),
        plan=(),
        plan_like=(f"{branches}*",),
    )


def _forms(settings: Github) -> Iterator[str]:
    yield settings.repository
    if settings.owner_id is not None:
        owner, _, name = settings.repository.partition("/")
        yield f"{owner}@{settings.owner_id}/{name}@{settings.repository_id}"

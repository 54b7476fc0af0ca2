"""The table [foundation]: what `holdfast bootstrap` makes in the environment's account."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from holdfast_constructs.settings.base import Settings
from holdfast_constructs.settings.values import Items, RetentionDays, Table, empty_table, refused

# GitHub: a login has letters, digits and inner hyphens; a repository also has dots and underscores.
RepositoryName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/[A-Za-z0-9._-]{1,100}$"),
    Field(description="a repository on GitHub: owner/name"),
]
ProjectPath = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$"),
    Field(description="a project on GitLab: group/project, with its subgroups"),
]
# Part of a subject that is compared as a whole: a wildcard would be a letter like any other.
ExactName = Annotated[
    str,
    StringConstraints(pattern=r"^[^*?:\s]{1,255}$"),
    Field(description="an exact name, without spaces, colons and wildcards"),
]
HostName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"),
    Field(description="a host name such as gitlab.com"),
]
ActionName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9-]{2,40}:[A-Za-z0-9]{2,100}$"),
    Field(description="an exact IAM action such as dynamodb:CreateTable"),
]
ServicePrefix = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9-]{2,40}$"),
    Field(description="the prefix of an AWS service's actions, such as bedrock"),
]


class Github(Settings):
    """The repository on GitHub whose workflows plan and deploy."""

    repository: RepositoryName
    owner_id: Annotated[int, Field(ge=1)] | None = None
    """Id of the owner; `gh api repos/OWNER/NAME --jq .owner.id` shows it."""
    repository_id: Annotated[int, Field(ge=1)] | None = None
    """Id of the repository; `gh api repos/OWNER/NAME --jq .id` shows it."""
    environment: ExactName | None = None
    """GitHub environment whose jobs may deploy; the name of this environment when left out."""
    branch: ExactName = "main"
    """The branch whose jobs may plan, besides those of pull requests."""

    @model_validator(mode="after")
    def _has_both_ids(self) -> Self:
        if (self.owner_id is None) != (self.repository_id is None):
            raise refused("has one of two ids", allowed="owner_id and repository_id, or neither")
        return self


class Gitlab(Settings):
    """The project on GitLab whose pipelines plan and deploy."""

    project: ProjectPath
    host: HostName = "gitlab.com"
    audience: Annotated[str, Field(pattern=r"^[^*?\s]{1,255}$")] | None = None
    """The `aud` of `id_tokens` in the pipeline; https://<host> when left out."""
    branch: ExactName = "main"
    """The protected branch whose jobs may deploy."""


class TypeActions(Settings):
    """The IAM actions of a resource type that Holdfast does not know; none has a wildcard."""

    read: Items[ActionName] = ()
    """What a plan calls."""
    write: Items[ActionName] = ()
    """What a deploy calls besides, to create, update and delete."""
    passed_to: Items[HostName] = ()
    """Services that get a role of the stack, such as lambda.amazonaws.com."""


class Foundation(Settings):
    """What `holdfast bootstrap` makes; without this table it makes nothing."""

    old_version_days: Annotated[int, Field(ge=1)] = 90
    """Days until an overwritten state is gone for good."""
    access_logs: bool = True
    """A second bucket that keeps who read and wrote what in the state bucket."""
    access_log_days: RetentionDays = 365
    """Days until S3 deletes one of these logs."""
    github: Github | None = None
    gitlab: Gitlab | None = None
    session_hours: Annotated[int, Field(ge=1, le=12)] = 1
    """How long the credentials of a job are good for."""
    actions: Table[str, TypeActions] = Field(default_factory=empty_table)
    """Actions of resource types that Holdfast does not know, by the type: data sources are \"data.TYPE\"."""
    boundary_services: Items[ServicePrefix] = ()
    """AWS services that the code of the services calls, besides those the stacks have resources of."""

    @property
    def has_roles(self) -> bool:
        """Whether there is a CI to make roles for."""
        return self.github is not None or self.gitlab is not None

"""A repository for images: a tag means one image for ever, each is scanned, and leftovers go by themselves.

CI ── push ──▶ repository ── pull ──▶ services: Image.of(repository, digest="sha256:…")
"""

from collections.abc import Sequence

from cdktf_cdktf_provider_aws.ecr_lifecycle_policy import EcrLifecyclePolicy
from cdktf_cdktf_provider_aws.ecr_repository import EcrRepository as EcrRepositoryResource
from cdktf_cdktf_provider_aws.ecr_repository import (
    EcrRepositoryEncryptionConfiguration,
    EcrRepositoryImageScanningConfiguration,
)
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.compute import _repository_rules as rules
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import aws_name
from holdfast_constructs.security._any_key import AnyKey, key_arn
from holdfast_constructs.security._arns import parse_arn
from holdfast_constructs.security._granting import AnyGrantee, grant_to, kind_of_name, part_name
from holdfast_constructs.security.access import Access
from holdfast_constructs.security.policy import Statement, policy_json

_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_PUSH = ("ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart")
_EXAMPLE = "arn:aws:ecr:eu-west-1:210987654321:repository/orders/prod/web"


class RepositoryAccess:
    """What all repositories offer: `arn`, `registry_url` for `Image.of`, and permission to pull and push."""

    name: str
    arn: str
    registry_url: str

    def grant_pull(self, grantee: AnyGrantee) -> None:
        """Allow a role to pull images; a service pulls its own image without."""
        grant_to(grantee, self, "pull", *self._use("Pull", *_PULL))

    def grant_push(self, grantee: AnyGrantee) -> None:
        """Allow a role, such as a CI's, to push images, and to pull what is there already."""
        grant_to(grantee, self, "push", *self._use("Push", *_PULL, *_PUSH))

    @property
    def default_prefix(self) -> str:
        """What variables would begin with; a repository gives none."""
        return "REPOSITORY"

    def access_for(self, user: str | None) -> Access:
        """Raise ConstructError: nothing is connected to a repository."""
        raise ConstructError(
            f"repository {self.name} is nothing to connect to" + ("" if user is None else f" as {user}"),
            next_step="give Image.of(repository, digest=…) to what runs it, which may pull it then; "
            "anybody else is permitted with grant_pull",
        )

    def _use(self, sid: str, *actions: str) -> tuple[Statement, ...]:
        # Logging in takes no resource.
        log_in = Statement(sid="LogInToRegistry", actions=("ecr:GetAuthorizationToken",))
        return (Statement(sid=sid, actions=actions, resources=(self.arn,)), log_in)


@checked
class ImportedRepository(RepositoryAccess):
    """A repository that somebody else manages; `Repository.import_` returns one."""

    def __init__(self, arn: str) -> None:
        parts = parse_arn(arn, "ecr", what="arn", example=_EXAMPLE)
        if parts is None:
            raise ConstructError("arn", got="a reference", allowed=f"an ARN such as {_EXAMPLE}")
        repository = parts.resource.removeprefix("repository/")
        self.arn = arn
        self.registry_url = f"{parts.account}.dkr.ecr.{parts.region}.{parts.domain}/{repository}"
        self.name = kind_of_name("".join(c if c.isalnum() else "-" for c in repository), "repository")


@checked
class Repository(Construct, RepositoryAccess):
    """An ECR repository, encrypted with `key`, or with ECR's own key where `key` is None on purpose.

    A tag that is pushed again is refused. Images without a tag go `untagged_days` after they were pushed.
    With `keep_images` only so many of the newest stay, also where a service runs an older one: by default all
    do. `pull_accounts` are other accounts that may pull. With the target's `delete_protection` it is
    protected, and not emptied when it is destroyed.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        key: AnyKey | None,
        untagged_days: int = 14,
        keep_images: int | None = None,
        pull_accounts: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        target = self._stack.target
        expiry = rules.lifecycle_policy(untagged_days, keep_images)
        rules.check_accounts(pull_accounts)
        self.name = part_name(self._stack, id_, "repository")
        self.repository_name = aws_name("repository", target, self._stack.service, id_)
        encryption = EcrRepositoryEncryptionConfiguration(
            encryption_type="AES256" if key is None else "KMS",
            kms_key=None if key is None else key_arn(key, self._stack.target.region),
        )
        self.repository = EcrRepositoryResource(
            self,
            "repository",
            name=self.repository_name,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=EcrRepositoryImageScanningConfiguration(scan_on_push=True),
            encryption_configuration=[encryption],
            force_delete=not target.delete_protection,
        )
        self.arn = self.repository.arn
        # As a text: an image is pushed after this is deployed and before what runs it is.
        place = ImportedRepository(
            f"arn:{target.partition}:ecr:{target.region}:{target.account}:repository/{self.repository_name}"
        )
        self.registry_url = place.registry_url
        EcrLifecyclePolicy(self, "lifecycle", repository=self.repository.name, policy=expiry)
        if pull_accounts:
            self._let_pull(pull_accounts)
        if target.delete_protection:
            self._stack.protect(self.repository)

    @classmethod
    def import_(cls, arn: str) -> ImportedRepository:
        """Return a repository that exists, by its ARN."""
        return ImportedRepository(arn)

    def _let_pull(self, accounts: Sequence[str]) -> None:
        from cdktf_cdktf_provider_aws.ecr_repository_policy import (  # noqa: PLC0415 - few repositories need it
            EcrRepositoryPolicy,
        )

        partition = self._stack.target.partition
        pull = Statement(
            sid="PullFromOtherAccounts",
            actions=_PULL,
            resources=(),
            principals=tuple(f"arn:{partition}:iam::{account}:root" for account in accounts),
        )
        EcrRepositoryPolicy(
            self,
            "policy",
            repository=self.repository.name,
            policy=policy_json(self, "permissions", pull),
        )

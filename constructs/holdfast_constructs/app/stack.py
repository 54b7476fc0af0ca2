"""The app and its stacks: a stack is one service in one environment, with a state of its own.

A ServiceStack sets up what every stack needs and nobody should write twice: the AWS provider, pinned
to the account it may touch; the S3 state with its native lock; the tags. HoldfastApp synthesizes all
stacks in one process and writes holdfast.json beside cdktf's manifest.
"""

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cdktf import App, S3Backend, TerraformOutput, TerraformResource, TerraformStack, Token
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderAssumeRole, AwsProviderDefaultTags
from constructs import Construct, IConstruct

from holdfast_constructs.app import _provenance
from holdfast_constructs.app._bounded_roles import refuse_unbounded_roles
from holdfast_constructs.app._configurations import read_configurations
from holdfast_constructs.app._connections import write_connections
from holdfast_constructs.app._explained import Explained, write_explained
from holdfast_constructs.app._manifest import ShardRecord, write_manifest
from holdfast_constructs.app._outputs import show_identities
from holdfast_constructs.app._shared_names import refuse_shared_names
from holdfast_constructs.app._written_secrets import refuse_written_secrets
from holdfast_constructs.app.target import TENANT_TAG, Target
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError

_provenance.install()


@checked
class HoldfastApp(App):
    """An app whose synth also writes holdfast.json.

    `outdir` is the folder to synthesize into, made where it is missing; None leaves it to cdktf
    (CDKTF_OUTDIR, else cdktf.out).
    """

    def __init__(self, outdir: str | None = None) -> None:
        if outdir is not None:
            Path(outdir).mkdir(parents=True, exist_ok=True)
        super().__init__(outdir=outdir)
        self._stacks: list[ServiceStack] = []

    @property
    def stacks(self) -> "tuple[ServiceStack, ...]":
        """Every ServiceStack of this app, sorted by name."""
        return tuple(sorted(self._stacks, key=lambda stack: stack.name))

    def synth(self) -> None:
        """Write every stack's cdk.tf.json, cdktf's manifest.json, and holdfast.json.

        Raises ConstructError for the text of a secret in a write-only argument, and keeps no file with it;
        for two resources with a name that AWS gives once; and for a role without the environment's boundary.
        """
        super().synth()
        outdir, project = Path(self.outdir), Path.cwd()
        configurations = read_configurations(outdir)
        refuse_written_secrets(configurations, self.stacks)
        refuse_shared_names(configurations, self.stacks)
        refuse_unbounded_roles(configurations, self.stacks)
        for stack in self.stacks:
            show_identities(configurations[stack.name])
        write_manifest(outdir, [stack.record() for stack in self.stacks], configurations, project=project)
        write_connections(outdir, self.stacks, configurations)
        write_explained(outdir, [stack.explained() for stack in self.stacks], configurations, project=project)

    def adopt(self, stack: "ServiceStack") -> None:
        """Register a stack; ServiceStack calls this itself."""
        self._stacks.append(stack)


# Terraform, "Identifiers".
_OUTPUT = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@checked
class ServiceStack(TerraformStack):
    """One service in one environment: provider, state, tags and the record the orchestrator reads.

    `service` is a lower-case name; the stack is called `<service>-<environment>-<region>`. Where the target
    has a tenant, the attribute `service`, the tag Service and every name carry it, `orders-acme`, and
    `base_service` is `orders`. Raises ConstructError when the service's name is not allowed.
    """

    def __init__(self, scope: Construct, service: str, target: Target) -> None:
        self.base_service = service
        self.service = target.own_name(service)
        self.target = target
        self.name = target.shard_name(service)
        if scope.node.try_find_child(self.name) is not None:
            raise ConstructError(
                f"there are two stacks {self.name}",
                next_step="give one of the two services another name, or another environment or region",
            )
        super().__init__(scope, self.name)
        self._protected: list[str] = []
        self._settings: tuple[Mapping[str, Any], ...] = ()
        self._health_checks: list[dict[str, Any]] = []
        self._accepted: list[tuple[str, Mapping[str, str]]] = []
        _provider(self)
        _backend(self)
        app = App.of(self)
        if isinstance(app, HoldfastApp):
            app.adopt(self)

    @classmethod
    def of(cls, construct: IConstruct) -> "ServiceStack":
        """Return the stack that contains `construct`; raises ConstructError if it is no ServiceStack."""
        stack = construct if isinstance(construct, ServiceStack) else TerraformStack.of(construct)
        if isinstance(stack, ServiceStack):
            return stack
        raise ConstructError(
            f"{type(construct).__name__} is in a {type(stack).__name__}",
            next_step="create it inside a ServiceStack, which knows the environment",
        )

    def protect(self, resource: TerraformResource) -> None:
        """Protect a resource whose loss cannot be undone: gates refuse to remove or replace it."""
        self._protected.append(_path(resource))

    def needs_engine(self, version: str) -> None:
        """Require a later version of Terraform or OpenTofu than all stacks do, such as `>= 1.11.0`."""
        self.add_override("terraform.required_version", version)

    def add_health_check(self, kind: str, name: str, **fields: Any) -> None:
        """Record a check to make after a deploy, such as `ecs_service_steady` of service `api`.

        A field that is known only after the deploy becomes an output of the stack, and is recorded as
        `{"output": <its name>}`. `name` is unique in the stack.
        """
        if any(check["name"] == name for check in self._health_checks):
            raise ConstructError("a health check's name", got=name, allowed=f"unique in {self.name}")
        resolved = {field: self._known(f"health-{name}-{field}", value) for field, value in fields.items()}
        self._health_checks.append({"kind": kind, "name": name, **resolved})

    def accept_difference(self, resource: TerraformResource, entry: Mapping[str, str]) -> None:
        """Record a difference that never settles; the function `accept_difference` calls this."""
        self._accepted.append((_path(resource), entry))

    def add_output(self, name: str, value: str) -> None:
        """Show `value` after a deploy as the output `name`, which is unique in the stack."""
        if _OUTPUT.fullmatch(name) is None:
            raise ConstructError(
                "the name of an output",
                got=name,
                allowed="letters, digits, '_' and '-', not beginning with a digit",
            )
        if self.node.try_find_child(name) is not None:
            raise ConstructError(
                "the name of an output", got=name, allowed=f"one that {self.name} does not have"
            )
        TerraformOutput(self, name, value=value, static_id=True)

    def put_out(self, name: str, value: str) -> None:
        """Call `add_output`, the new name of this function. The next version removes this name."""
        warnings.warn("ServiceStack.put_out is now add_output", DeprecationWarning, stacklevel=2)
        self.add_output(name, value)

    def record(self) -> ShardRecord:
        """Return the record of this stack for holdfast.json."""
        origin = _provenance.origin_of(self)
        return ShardRecord(
            name=self.name,
            service=self.base_service,
            target=self.target,
            protected=tuple(self._protected),
            health_checks=tuple(sorted(self._health_checks, key=lambda check: str(check["name"]))),
            origins={} if origin is None else origin.resources,
            accepted=tuple(self._accepted),
        )

    def explain_settings(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Remember `name`, `value` and `from` of each setting of the stack, for `holdfast explain`."""
        self._settings = tuple(rows)

    def explained(self) -> Explained:
        """Return what `holdfast explain` shows of this stack."""
        origin = _provenance.origin_of(self)
        others = {} if origin is None else origin.others
        return Explained(
            name=self.name,
            profile=self.target.profile,
            tenant=self.target.tenant,
            blocks={path: each for path, each in others.items() if path.startswith(f"{self.name}/")},
            settings=self._settings,
        )

    def _known(self, output: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: self._known(f"{output}-{key}", each) for key, each in value.items()}
        parts = value if isinstance(value, list | tuple) else [value]
        if not any(Token.is_unresolved(part) for part in parts):
            return value
        TerraformOutput(self, output, value=value, static_id=True)
        return {"output": output}


def _path(resource: TerraformResource) -> str:
    origin = _provenance.origin_of(resource)
    return resource.node.path if origin is None else origin.path


def _provider(stack: ServiceStack) -> None:
    target = stack.target
    own = {"Service": stack.service, "Environment": target.environment, "ManagedBy": "holdfast"}
    project = {} if target.project is None else {"Project": target.project}
    tenant = {} if target.tenant is None else {TENANT_TAG: target.tenant}
    local = target.local or None
    AwsProvider(
        stack,
        "aws",
        region=target.region,
        allowed_account_ids=[target.account],
        default_tags=[AwsProviderDefaultTags(tags={**project, **target.tags, **own, **tenant})],
        assume_role=[AwsProviderAssumeRole(role_arn=target.role_arn)] if target.role_arn else None,
        skip_credentials_validation=local,
        skip_metadata_api_check="true" if local else None,
        s3_use_path_style=local,
        # Attempts. The default, 25, takes minutes for each error of the local cloud. 2 is too few: on a busy
        # machine the SDK loses one answer in a thousand (aws-sdk-go-v2 issue 2737), sometimes two in a row.
        max_retries=5 if local else None,
    )


def _backend(stack: ServiceStack) -> None:
    """Cross-stack references copy these arguments into the consumer's terraform_remote_state.

    `use_lockfile` came with Terraform 1.10 and OpenTofu 1.10, and earlier ones refuse it. So no
    `required_version` says so again: Checkov's parser of JSON stops at a text in the block `terraform`.
    """
    state, local = stack.target.state, stack.target.local or None
    backend = S3Backend(
        stack,
        bucket=state.bucket,
        key=stack.target.state_key(stack.base_service),
        region=state.region,
        kms_key_id=state.kms_key_id,
        encrypt=True,
        use_path_style=local,
        skip_credentials_validation=local,
        skip_metadata_api_check=local,
        skip_region_validation=local,
        skip_requesting_account_id=local,
    )
    # cdktf 0.21 has no argument for this.
    backend.add_override("use_lockfile", True)

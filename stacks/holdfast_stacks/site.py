"""A site: one environment in one region. Every stack gets one, and asks it for nothing else."""

from dataclasses import dataclass

from holdfast_constructs.app.target import Operations, StateBucket, Target
from holdfast_stacks.settings import Environment


@dataclass(frozen=True, slots=True)
class Site:
    """An environment as a stack in `region` sees it."""

    env: Environment
    region: str

    @property
    def is_home(self) -> bool:
        """Whether this is the first region of the environment."""
        return self.region == self.env.regions[0]

    @property
    def domain(self) -> str:
        """The domain services are reached below; the first region has the plain one."""
        return self.env.domain if self.is_home else f"{self.region}.{self.env.domain}"

    @property
    def cidr(self) -> str:
        """The network of the VPC here."""
        return self.env.cidr(self.region)

    @property
    def certificate_arn(self) -> str | None:
        """The certificate made elsewhere for this region, if there is one and it is wanted."""
        return self.env.gateway.certificates.get(self.region) if self.env.gateway.tls else None

    @property
    def target(self) -> Target:
        """Where the stacks of this site go."""
        env = self.env
        return Target(
            environment=env.name,
            account=env.account,
            region=self.region,
            zones=env.zones(self.region),
            state=StateBucket(
                bucket=env.state.bucket,
                region=env.state.region or env.regions[0],
                kms_key_id=env.state.kms_key_id,
            ),
            tags=env.tags,
            owners=env.owners,
            local=env.local,
            production=env.production,
            delete_protection=env.keep_data,
            role_arn=env.role_arn,
            log_retention_days=env.logs.retention_days,
            operations=Operations(keeping=env.keeping(), health=env.health_overrides()),
        )

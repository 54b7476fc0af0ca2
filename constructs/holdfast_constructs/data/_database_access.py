"""How a client logs in to a database: with the administrator's secret, or as a user with a token from IAM."""

from dataclasses import dataclass

from holdfast_constructs.app.target import Target
from holdfast_constructs.data._database_rules import checked_user
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security.access import Access
from holdfast_constructs.security.policy import Condition, Statement

PORT = 5432


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Where a database is, and what it takes to log in; `resource_id` is what IAM knows it by.

    Without `secret_arn` nobody logs in as the administrator, without `resource_id` nobody with a token.
    """

    target: Target
    name: str
    host: str
    database: str
    port: int = PORT
    resource_id: str | None = None
    secret_arn: str | None = None
    secret_key_arn: str | None = None

    def access(self, user: str | None) -> Access:
        """Return what a client needs to log in as `user`, or as the administrator."""
        where = {"HOST": self.host, "PORT": str(self.port), "NAME": self.database}
        if user is None:
            secret = self._known(self.secret_arn, "secret_arn", "user=… in connect_to")
            return Access(environment=where | {"SECRET_ARN": secret}, statements=self._read(secret))
        resource = self._known(self.resource_id, "resource_id", "no user in connect_to")
        return Access(
            environment=where | {"USER": checked_user(user)}, statements=(self._log_in(resource, user),)
        )

    def _known(self, value: str | None, argument: str, instead: str) -> str:
        if value is None:
            raise ConstructError(
                f"database {self.name} is imported without {argument}, which this client needs",
                next_step=f"pass {argument} to Postgres.import_, or {instead}",
            )
        return value

    def _read(self, secret: str) -> tuple[Statement, ...]:
        region = self.target.region
        read = Statement(
            sid="ReadSecret",
            actions=("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"),
            resources=(secret,),
        )
        if self.secret_key_arn is None:
            return (read,)
        through = Condition("StringEquals", "kms:ViaService", (f"secretsmanager.{region}.amazonaws.com",))
        decrypt = Statement(
            sid="DecryptSecret",
            actions=("kms:Decrypt",),
            resources=(self.secret_key_arn,),
            conditions=(through,),
        )
        return (read, decrypt)

    def _log_in(self, resource: str, user: str) -> Statement:
        target = self.target
        users = f"arn:{target.partition}:rds-db:{target.region}:{target.account}:dbuser"
        return Statement(sid="LogIn", actions=("rds-db:connect",), resources=(f"{users}:{resource}/{user}",))

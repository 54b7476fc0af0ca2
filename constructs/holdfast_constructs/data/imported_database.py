"""A PostgreSQL database that somebody else manages, for services to connect to."""

from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.data._database_access import PORT, Login
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security.access import Access
from holdfast_constructs.security.keys import EncryptionKey

_HIGHEST_PORT = 65535


@checked
class ImportedPostgres(Construct):
    """A database that exists already; nothing of it is managed but the rules that let clients in.

    Clients that log in as its administrator need `secret_arn`, and `secret_key` where the secret has a key of
    its own; those that log in as a user with a token from IAM need `resource_id` (`db-…`, a proxy's `prx-…`).
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        host: str,
        security_group_id: str,
        database: str,
        port: int = PORT,
        secret_arn: str | None = None,
        secret_key: EncryptionKey | None = None,
        resource_id: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        if not security_group_id.startswith(("sg-", "${")):
            allowed = "the id of a security group, such as sg-0a1b2c3d"
            raise ConstructError("security_group_id", got=security_group_id, allowed=allowed)
        if ":" in host and not host.startswith("${"):
            raise ConstructError("host", got=host, allowed="a name without its port", next_step="pass port=…")
        if not 1 <= port <= _HIGHEST_PORT:
            raise ConstructError("port", got=port, allowed=f"1-{_HIGHEST_PORT}")
        if not database or database != database.strip():
            raise ConstructError("database", got=database, allowed="the name of the database inside")
        self.name = id_
        self.security_group_id = security_group_id
        self.default_port = port
        self.host = host
        self.database_name = database
        self._login = Login(
            target=ServiceStack.of(self).target,
            name=id_,
            host=host,
            port=port,
            database=database,
            resource_id=resource_id,
            secret_arn=secret_arn,
            secret_key_arn=None if secret_key is None else secret_key.arn,
        )

    @property
    def default_prefix(self) -> str:
        """What its variables begin with."""
        return "DATABASE"

    def access_for(self, user: str | None) -> Access:
        """Return what a client needs to log in; see `Postgres.access_for`."""
        return self._login.access(user)

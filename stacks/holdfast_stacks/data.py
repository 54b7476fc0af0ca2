"""What must not be lost: a database for each service that has one in the settings, and their key.

Data has a stack of its own so that rolling a service back can never touch it.
"""

from constructs import Construct

from holdfast_constructs import Key, Postgres, ServiceStack
from holdfast_constructs.project import Site, shared
from holdfast_constructs.settings import Environment
from holdfast_stacks.network import Network


@shared("data", when=Environment.databases)
class Data(ServiceStack):
    """The databases of a site, by the name of the service each belongs to."""

    def __init__(self, scope: Construct, site: Site) -> None:
        super().__init__(scope, "data", site.target)
        base = site.stack(Network)
        key = Key(self, "key", purpose="data")
        self.databases = {
            service: Postgres(
                self,
                service,
                network=base.network,
                key=key,
                logs_key=base.logs_key,
                instance_class=database.instance_class,
                storage_gib=database.storage_gib,
                max_storage_gib=database.max_storage_gib,
                iops=database.iops,
                throughput_mib=database.throughput_mib,
                engine_version=database.engine_version,
                extended_support=database.extended_support,
                multi_az=site.env.survives_a_zone(database),
                backup_days=database.backup_days,
                parameters=database.parameters,
                backup_window=database.backup_window,
                maintenance_window=database.maintenance_window,
                pooler=database.pooler,
                pooled_users=database.pooled_users,
            )
            for service, database in site.env.databases().items()
        }
        for service, database in self.databases.items():
            self.add_output(f"{service}_endpoint", database.endpoint)

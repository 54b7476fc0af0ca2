"""What must not be lost. It has a stack of its own, so that rolling a service back never touches it."""

from holdfast_constructs import Bucket, Cache, HoldfastApp, Key, Postgres, Queue, ServiceStack
from parcels.environments import Environment
from parcels.network import Network


class Data(ServiceStack):
    """The database, the printed labels, the orders to print some, and the cache of positions."""

    def __init__(self, app: HoldfastApp, env: Environment, base: Network) -> None:
        super().__init__(app, "data", env.target)
        key = Key(self, "key", purpose="data")
        self.database = Postgres(
            self,
            "parcels",
            network=base.network,
            key=key,
            logs_key=base.logs_key,
            instance_class=env.database,
            storage_gib=100,
        )
        self.cache = Cache(
            self,
            "positions",
            network=base.network,
            key=key,
            logs_key=base.logs_key,
            node_type=env.cache,
        )
        access_logs = Bucket(self, "access-logs", key=None, expire_days=365)
        self.labels = Bucket(self, "labels", key=key, access_logs=access_logs)
        self.to_print = Queue(self, "to-print", max_receives=3)

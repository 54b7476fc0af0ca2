"""Prints labels, and reports each night what was printed. Both are of one image, so they are one stack."""

from holdfast_constructs import BacklogScale, HoldfastApp, ScheduledJob, ServiceStack, Worker
from parcels.data import Data
from parcels.edge import Edge
from parcels.environments import Environment


class Labels(ServiceStack):
    """A worker, with as many tasks as its queue needs, and a job that may only read what it printed."""

    def __init__(self, app: HoldfastApp, env: Environment, edge: Edge, data: Data) -> None:
        super().__init__(app, "labels", env.target)
        self.printer = Worker(
            self,
            "printer",
            platform=edge.platform,
            image=env.image("labels"),
            queue=data.to_print,
            scale=BacklogScale(1, 30, backlog_per_task=50),
        )
        self.printer.connect_to(data.labels)
        self.report = ScheduledJob(
            self,
            "report",
            platform=edge.platform,
            image=env.image("labels"),
            command=["python", "-m", "labels.report"],
            schedule="cron(15 3 * * ? *)",
            timezone="Europe/Berlin",
            environment={"BUCKET_NAME": data.labels.bucket_name},
        )
        data.labels.grant_read(self.report)

"""The platform of a parcel service, in two environments. `holdfast` runs this file, as cdktf.json says."""

from holdfast_constructs import HoldfastApp
from parcels.api import Api
from parcels.data import Data
from parcels.edge import Edge
from parcels.environments import LOCAL, PROD, Environment
from parcels.labels import Labels
from parcels.network import Network
from parcels.storefront import Storefront
from parcels.tracking import Tracking


def build(app: HoldfastApp, env: Environment) -> None:
    """Add the stacks of an environment; what a stack is given is deployed before it."""
    network = Network(app, env)
    edge = Edge(app, env, network)
    data = Data(app, env, network)
    api = Api(app, env, edge, data)
    Storefront(app, env, edge, api)
    Tracking(app, env, edge, data)
    Labels(app, env, edge, data)


app = HoldfastApp()
for env in (LOCAL, PROD):
    build(app, env)
app.synth()

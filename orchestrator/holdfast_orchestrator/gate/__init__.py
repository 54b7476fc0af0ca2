"""Stage 3: may this plan be applied?

Each gate is one pure function from a proposal (a shard's plan and what a person has allowed) to
findings; no finding means yes. `gates.GATES` is the whole list and grows: a gate that crashes has found
something too, because what cannot be judged must not be applied.

    protection.py   protected objects are not destroyed or replaced unless each is named
    shown.py        nothing is destroyed that a person was not shown beforehand
    takeover.py     no create takes over an object that is there already, unless each is named
    rejected.py     no version that was rolled back from by hand, unless its run is named
    expired.py      a difference whose acceptance has expired is looked at again
"""

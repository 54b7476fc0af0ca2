"""The stacks of the parcel service, one a file, and the environments they are deployed to."""

"""Write the golden rows anew."""

from probes import perturbations
from tests.golden import write

for name in perturbations.names():
    write(name)

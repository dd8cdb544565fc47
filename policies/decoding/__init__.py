"""How solutions are obtained from a trained policy."""

from policies.decoding.active import ActiveSearch as ActiveSearch
from policies.decoding.base import Decoding as Decoding
from policies.decoding.base import Search as Search
from policies.decoding.beam import BeamSearch as BeamSearch
from policies.decoding.best import Solutions as Solutions
from policies.decoding.choose import Greedy as Greedy
from policies.decoding.choose import Sampling as Sampling
from policies.decoding.multistart import MultiStart as MultiStart
from policies.decoding.sgbs import SimulationGuidedBeamSearch as SimulationGuidedBeamSearch

from dataclasses import replace

import numpy as np
import pytest

from co_gym.errors import InputError
from policies.branching.samples import Samples, complete
from policies.branching.synthetic import random_shard


def stopped(shard, sample):
    """The same samples, but that strong branching stopped at the second candidate of one."""
    scores, first = shard.scores.copy(), shard.candidate_offsets[sample]
    scores[first + 1] = 1e6
    scores[first + 2 : shard.candidate_offsets[sample + 1]] = 0
    return replace(shard, scores=scores)


def test_samples_that_are_not_scored_to_the_end_are_left_out(tmp_path):
    shard = stopped(random_shard(), 2)
    assert complete(shard).tolist() == [0, 1, 3]
    nothing = replace(shard, scores=np.zeros_like(shard.scores))
    assert complete(nothing).tolist() == [0, 1, 2, 3]
    shard.save(tmp_path / "0000.npz")
    samples = Samples(tmp_path, graphs=False)
    assert samples.count == 3
    assert samples.units(2) == [(0, (0, 1)), (0, (3,))]
    for sample in (0, 1, 3):
        shard = stopped(shard, sample)
    shard.save(tmp_path / "0000.npz")
    with pytest.raises(InputError, match="scored all candidates"):
        Samples(tmp_path, graphs=False)

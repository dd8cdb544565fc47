"""Batched environments on tensors: solutions built or improved step by step, under masks.

Importing this package loads torch; `import co_gym` does not.
"""

from __future__ import annotations

from co_gym.envs.base import Environment
from co_gym.envs.batch import stack, unstack
from co_gym.envs.knapsack import KnapsackEnv, KnapsackState, MultiKnapsackEnv
from co_gym.envs.mis import MISEnv, MISState
from co_gym.envs.sampling import RandomPolicy
from co_gym.envs.state import State
from co_gym.envs.tsp import TSPEnv, TSPState
from co_gym.envs.two_opt import TwoOptEnv, TwoOptState

__all__ = [
    "Environment",
    "KnapsackEnv",
    "KnapsackState",
    "MISEnv",
    "MISState",
    "MultiKnapsackEnv",
    "RandomPolicy",
    "State",
    "TSPEnv",
    "TSPState",
    "TwoOptEnv",
    "TwoOptState",
    "stack",
    "unstack",
]

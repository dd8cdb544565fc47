"""Times RL4CO's environments; run by bench_envs.py in RL4CO's own environment. Prints JSON.

Usage: python rl4co_envs.py '[["tsp", 20, 64], ...]' REPEATS
"""

import json
import logging
import statistics
import sys
import time
import warnings

logging.disable(logging.CRITICAL)
warnings.filterwarnings("ignore")

import torch  # noqa: E402
from rl4co.envs import TSPEnv  # noqa: E402
from rl4co.utils.decoding import random_policy  # noqa: E402


def with_actions(env, instances, actions):
    """Reset, all steps with actions computed before, reward and its check: seconds."""
    start = time.perf_counter()
    td = env.reset(instances)
    for action in actions:
        td.set("action", action)
        td = env.step(td)["next"]
    env.get_reward(td, torch.stack(actions, 1))
    return time.perf_counter() - start


def at_random(env, instances, actions):
    """The same with uniformly drawn admissible actions."""
    start = time.perf_counter()
    td = env.reset(instances)
    drawn = []
    for _ in actions:
        td = random_policy(td)
        drawn.append(td["action"])
        td = env.step(td)["next"]
    env.get_reward(td, torch.stack(drawn, 1))
    return time.perf_counter() - start


def main():
    torch.set_num_threads(1)
    cells, repeats = json.loads(sys.argv[1]), int(sys.argv[2])
    rows = []
    for problem, n, batch in cells:
        if problem != "tsp":
            continue
        torch.manual_seed(0)
        env = TSPEnv(generator_params={"num_loc": n})
        instances = env.generator(batch)
        actions = list(torch.rand(batch, n).argsort(1).t().contiguous())
        for mode, run in (("actions", with_actions), ("random", at_random)):
            run(env, instances.clone(), actions)
            seconds = statistics.median(run(env, instances.clone(), actions) for _ in range(repeats))
            rows.append({"peer": "RL4CO", "cell": [problem, n, batch], "mode": mode, "rate": batch * n / seconds})
    print(json.dumps(rows))


if __name__ == "__main__":
    main()

"""Times RL4CO's POMO; run by bench_policies.py in RL4CO's own environment. Prints JSON.

Usage: python rl4co_policies.py '[[MODE, n, batch], ...]' PRECISION REPEATS

MODE: train (forward, backward, Adam with gradient clipping), multistart (greedy from all cities), greedy (from
one city), memory (peak resident memory of one training step above the memory before). PRECISION: highest or
medium, for torch.set_float32_matmul_precision, as RL4CO's trainer sets it.
"""

import json
import logging
import resource
import statistics
import sys
import time
import warnings

logging.disable(logging.CRITICAL)
warnings.filterwarnings("ignore")

import torch  # noqa: E402
from rl4co.envs import TSPEnv  # noqa: E402
from rl4co.models.zoo import POMO  # noqa: E402
from rl4co.utils.ops import unbatchify  # noqa: E402


def trainer(model, optimizer, env, instances):
    """One step as POMO.shared_step and the trainer make it."""

    def step():
        td = env.reset(instances.clone())
        starts = env.get_num_starts(td)
        out = model.policy(td, env, phase="train", num_starts=starts)
        reward = unbatchify(out["reward"], (0, starts))
        log_likelihood = unbatchify(out["log_likelihood"], (0, starts))
        model.calculate_loss(td, instances, out, reward, log_likelihood)
        optimizer.zero_grad()
        out["loss"].backward()
        torch.nn.utils.clip_grad_norm_(model.policy.parameters(), 1.0)
        optimizer.step()

    return step


def tester(model, env, instances, decode_type):
    """Greedy solutions without gradient."""

    def run():
        with torch.inference_mode():
            td = env.reset(instances.clone())
            starts = env.get_num_starts(td) if "multistart" in decode_type else None
            model.policy(td, env, phase="test", decode_type=decode_type, num_starts=starts)

    return run


def main():
    torch.set_num_threads(1)
    cells, precision, repeats = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    torch.set_float32_matmul_precision(precision)
    rows = []
    for mode, n, batch in cells:
        torch.manual_seed(0)
        env = TSPEnv(generator_params={"num_loc": n})
        model = POMO(env)
        optimizer = torch.optim.Adam(model.policy.parameters(), lr=1e-4)
        instances = env.generator(batch)
        if mode in ("train", "memory"):
            model.policy.train()
            run = trainer(model, optimizer, env, instances)
        else:
            model.policy.eval()
            run = tester(model, env, instances, "greedy" if mode == "greedy" else "multistart_greedy")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        times = []
        for _ in range(1 if mode == "memory" else repeats + 1):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        value = peak / 1024 if mode == "memory" else batch / statistics.median(times[1:])
        rows.append({"mode": mode, "n": n, "batch": batch, "value": value})
    print(json.dumps(rows))


main()

"""Times Jumanji's environments; run by bench_envs.py in Jumanji's own environment. Prints JSON.

Usage: python jumanji_envs.py '[["tsp", 20, 64], ...]' REPEATS

The states after reset are computed before the clock starts; compilation is not timed.
"""

import json
import statistics
import sys
import time

import jax
import jax.numpy as jnp
from jumanji.environments import TSP, Knapsack
from jumanji.environments.packing.knapsack.generator import RandomGenerator
from jumanji.environments.routing.tsp.generator import UniformGenerator


def make(problem, n):
    """The environment, and the mask of a state."""
    if problem == "tsp":
        env = TSP(generator=UniformGenerator(n))
        return env, lambda state: ~state.visited_mask
    env = Knapsack(generator=RandomGenerator(n, 12.5 if n <= 50 else 25.0))
    return env, lambda state: ~state.packed_items & (state.weights <= state.remaining_budget[:, None])


def median(run, repeats):
    """Median seconds of a call that returns arrays."""
    jax.block_until_ready(run())
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(run())
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def episode_at_random(env, mask_of, record):
    """One program for a whole episode of random admissible actions: rewards, steps taken, actions if `record`.

    The largest of uniform numbers over the mask is drawn: on a CPU faster than `jax.random.categorical`.
    """
    step = jax.vmap(env.step)

    def go(carry):
        state, key, total, taken, done, actions, t = carry
        key, draw = jax.random.split(key)
        mask = mask_of(state)
        action = jnp.argmax(jnp.where(mask, jax.random.uniform(draw, mask.shape), -1.0), -1)
        state, timestep = step(state, action)
        total = total + jnp.where(done, 0.0, timestep.reward)
        taken = taken + jnp.sum(~done)
        if record:
            actions = actions.at[t].set(action)
        return state, key, total, taken, done | ~mask_of(state).any(-1), actions, t + 1

    def run(state, key):
        batch, n = mask_of(state).shape
        actions = jnp.zeros((n, batch) if record else (), jnp.int32)
        carry = (state, key, jnp.zeros(batch), 0, jnp.zeros(batch, bool), actions, 0)
        end = jax.lax.while_loop(lambda c: ~c[4].all(), go, carry)
        return end[2], end[3], end[5], end[6]

    return jax.jit(run)


def episode_with_actions(env):
    """One program for a whole episode with given actions [T, B]."""
    step = jax.vmap(env.step)

    def go(state, action):
        state, timestep = step(state, action)
        return state, timestep.reward

    def run(state, actions):
        state, rewards = jax.lax.scan(go, state, actions)
        return rewards.sum(0), state

    return jax.jit(run)


def loop(step, state, actions):
    """A Python loop over the compiled step."""
    total = 0.0
    for action in actions:
        state, timestep = step(state, action)
        total = total + timestep.reward
    return total


def main():
    cells, repeats = json.loads(sys.argv[1]), int(sys.argv[2])
    rows = []
    for problem, n, batch in cells:
        if problem not in ("tsp", "knapsack"):
            continue
        env, mask_of = make(problem, n)
        state, _ = jax.jit(jax.vmap(env.reset))(jax.random.split(jax.random.PRNGKey(0), batch))
        random = episode_at_random(env, mask_of, record=False)
        key = jax.random.PRNGKey(1)
        _, taken, actions, length = episode_at_random(env, mask_of, record=True)(state, key)
        actions = actions[: int(length)]
        single = [jnp.array(a) for a in actions]
        step = jax.jit(jax.vmap(env.step))
        whole = episode_with_actions(env)
        timed = {
            ("Jumanji, loop over step", "actions"): lambda s=step, x=state, a=single: loop(s, x, a),
            ("Jumanji, one program", "actions"): lambda w=whole, x=state, a=actions: w(x, a),
            ("Jumanji, one program", "random"): lambda r=random, x=state, k=key: r(x, k)[:2],
        }
        for (peer, mode), run in timed.items():
            rate = int(taken) / median(run, repeats)
            rows.append({"peer": peer, "cell": [problem, n, batch], "mode": mode, "rate": rate})
    print(json.dumps(rows))


if __name__ == "__main__":
    main()

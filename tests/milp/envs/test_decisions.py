"""What the answers do to SCIP: values are tried, nodes are selected, parameters are set; rows in parallel."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import gymnasium
import numpy as np
import pytest

import co_gym
from milp.envs.configuration import SolverConfigurationEnv
from milp.envs.node_selection import NODE_FEATURES, NodeSelectionEnv
from milp.envs.parameters import knob, parameters
from milp.envs.primal_search import PrimalSearchEnv
from milp.envs.program_graph import program_graph


def optimum(program: Any) -> tuple[float, dict[str, float]]:
    """The best objective, and values by name."""
    from milp.model import build_model

    model, variables = build_model(program)
    model.optimizeNogil()
    found = model.getObjVal(), {v.name: model.getVal(v) for v in variables}
    model.free()
    return found


@pytest.mark.parametrize("action", ["dict", "ternary"])
def test_an_optimal_solution_is_accepted_as_incumbent(action: Any, covers: Any, bare: Any) -> None:
    best, values = optimum(covers[0])
    environment = PrimalSearchEnv(
        instances=covers[0], settings=bare, action=action, trials_per_node=3, observation="none"
    )
    _, info = environment.reset(seed=0)
    columns = environment.model.getLPColsData()
    wanted = np.zeros(environment.mask_size)
    for column in columns:
        wanted[column.getLPPos()] = round(values[column.getVar().name.removeprefix("t_")])
    free = info["action_mask"]
    dual = {"fix": free, "values": wanted}
    chosen = dual if action == "dict" else np.where(free == 1, 1 + wanted, 0).astype(np.int64)
    _, reward, terminated, _, info = environment.step(chosen)
    assert not terminated
    assert info["accepted"]
    assert reward == 1.0
    assert environment.model.getSolObjVal(environment.model.getBestSol()) == pytest.approx(best)
    nothing = {"fix": 0 * free, "values": wanted} if action == "dict" else 0 * free.astype(np.int64)
    _, reward, _, _, info = environment.step(nothing)
    assert (info["accepted"], reward) == (False, 0.0)
    environment.close()


def test_an_infeasible_fixing_is_refused_and_the_solve_goes_on(covers: Any, bare: Any) -> None:
    environment = PrimalSearchEnv(instances=covers[0], settings=bare, observation="node-bipartite")
    best, _ = optimum(covers[0])
    _, info = environment.reset(seed=0)
    ended, accepted = False, []
    while not ended:
        nothing_covered = info["action_mask"].astype(np.int64)
        _, _, ended, _, info = environment.step(nothing_covered)
        accepted.append(info.get("accepted", False))
    assert not any(accepted)
    assert info["objective"] == pytest.approx(best)
    environment.close()


def test_the_selected_node_is_the_next_one(knapsacks: Any, bare: Any) -> None:
    environment = NodeSelectionEnv(instances=knapsacks, settings=bare, max_nodes=6)
    observation, info = environment.reset(seed=0)
    depth, bound = NODE_FEATURES.index("depth"), NODE_FEATURES.index("lower_bound")
    for step in range(25):
        count = int(info["action_mask"].sum())
        nodes = observation["nodes"][:count]
        assert count == min(6, info["open_nodes"])
        assert (np.diff(nodes[:, bound]) >= 0).all()
        assert (nodes[:, 3:].sum(axis=1) == 1).all()
        chosen = step % count
        deepest = nodes[chosen, depth]
        observation, _, terminated, _, info = environment.step(chosen)
        if terminated:
            break
        children = observation["nodes"][observation["nodes"][:, 3] == 1]
        assert set(children[:, depth]) <= {deepest + 1}  # those of the node that was selected
    environment.close()


def test_best_bound_first_needs_fewer_nodes_than_worst_bound_first(covers: Any, bare: Any) -> None:
    settings = bare | {"branching/random/priority": 1_000_000}
    counts = []
    for pick in (np.argmax, lambda mask: len(mask) - 1 - np.argmax(mask[::-1])):
        environment = NodeSelectionEnv(instances=covers, settings=settings, skip_solved=False)
        total = 0
        for instance in range(len(covers)):
            _, info = environment.reset(seed=0, options={"instance": instance})
            ended = False
            while not ended:
                _, _, ended, _, info = environment.step(int(pick(info["action_mask"])))
            total += info["nodes"]
        counts.append(total)
        environment.close()
    assert counts[0] < 0.8 * counts[1]


WANTED: dict[str, Any] = {
    "separating/maxroundsroot": (0, 20),
    "branching/scorefac": None,
    "nodeselection/childsel": ["d", "u"],
    "branching/preferbinary": None,
    "limits/memory": (10.0, 1000.0),
}


def test_parameters_are_set(covers: Any) -> None:
    environment = SolverConfigurationEnv(instances=covers, parameters=WANTED, observation="none")
    environment.action_space.seed(0)
    for _ in range(5):
        environment.reset(seed=1)
        action = environment.action_space.sample()
        _, _, terminated, _, _ = environment.step(action)
        assert terminated
        model = environment.model
        assert model.getParam("separating/maxroundsroot") == action["separating/maxroundsroot"]
        assert model.getParam("branching/scorefac") == action["branching/scorefac"][0]
        assert model.getParam("nodeselection/childsel") == "du"[action["nodeselection/childsel"]]
        assert model.getParam("branching/preferbinary") == bool(action["branching/preferbinary"])
    environment.close()


def test_parameters_from_a_box_and_from_a_list(covers: Any) -> None:
    environment = SolverConfigurationEnv(instances=covers, parameters=WANTED, action="box")
    observation, _ = environment.reset(seed=0)
    assert observation["sizes"].tolist() == [200, 100, 100 * 20]
    environment.step(np.ones(5, np.float32))
    assert environment.model.getParam("separating/maxroundsroot") == 20
    assert environment.model.getParam("nodeselection/childsel") == "u"
    environment.reset()
    _, reward, terminated, _, _ = environment.step(np.full(5, 2.0, np.float32))
    assert (reward, terminated) == (-1.0, True)
    environment.close()
    portfolio = [{"separating/maxroundsroot": 0}, {"separating/maxroundsroot": 7}]
    environment = SolverConfigurationEnv(instances=covers, parameters=portfolio)
    environment.reset(seed=0)
    environment.step(1)
    assert environment.model.getParam("separating/maxroundsroot") == 7
    environment.close()
    with pytest.raises(co_gym.InputError, match="no parameters"):
        SolverConfigurationEnv(instances=covers, parameters=[])


def test_scips_own_types_and_ranges() -> None:
    known = parameters()
    assert len(known) > 2000
    assert (known["branching/scorefac"].kind, known["branching/scorefac"].high) == ("real", 1.0)
    assert known["branching/scorefunc"].choices == "spq"
    assert knob("separating/maxrounds", (0, 5)).space.n == 6
    assert knob("separating/maxrounds", None).share(0.0) == -1
    assert knob("branching/preferbinary", None).value(1) is True
    assert knob("limits/nodes", None).space.dtype == np.int64


def test_program_graph(covers: Any, knapsacks: Any) -> None:
    graph = program_graph(covers[0])
    np.testing.assert_allclose(np.linalg.norm(graph.variables[:, 0]), 1, rtol=1e-5)
    assert (graph.values < 0).all()  # a cover is -a'x <= -1
    np.testing.assert_allclose(np.add.reduceat(graph.values**2, graph.indptr[:-1]), 1, rtol=1e-5)
    graph = program_graph(knapsacks[0])
    assert (graph.variables[:, 0] <= 0).all()  # a maximization is turned round
    assert (graph.rows > 0).all()
    assert graph.variables[:, [1, 5, 6, 8]].all()


def test_instances_by_row_and_what_does_not_fit(covers: Any, bare: Any) -> None:
    envs = gymnasium.make_vec(
        "co_gym/Branching-v0", num_envs=3, instances=covers, settings=bare, observation="none"
    )
    with pytest.raises(ValueError, match="first reset"):
        envs.reset(options={"reset_mask": np.array([True, False, True])})
    _, info = envs.reset(seed=[1, None, 3], options={"instance": [5, 0, 2]})
    assert info["instance"].tolist() == [5, 0, 2]
    for options in ({"instance": [1]}, {"reset_mask": np.ones(2, bool)}, {"reset_mask": np.zeros(3, bool)}):
        with pytest.raises(ValueError, match=r"instances for 3|reset_mask must"):
            envs.reset(options=options)
    with pytest.raises(ValueError, match="2 seeds"):
        envs.reset(seed=[1, 2])
    envs.close()


def test_disabled_autoreset_needs_a_mask(covers: Any, bare: Any) -> None:
    keywords = {"instances": covers, "settings": bare, "observation": "none"}
    envs = gymnasium.make_vec("co_gym/Branching-v0", num_envs=2, autoreset_mode="Disabled", **keywords)
    envs.reset(seed=0)
    envs.step(np.argmin(envs.action_masks(), axis=1))
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"\[0, 1\]"):
        envs.step(np.zeros(2, dtype=np.int64))
    envs.close()


def test_a_refused_action_leaves_every_row_as_it_was(covers: Any, bare: Any) -> None:
    keywords = {"instances": covers, "settings": bare, "observation": "none", "invalid": "raise"}
    envs, twin = (gymnasium.make_vec("co_gym/Branching-v0", num_envs=2, **keywords) for _ in "ab")
    for each in (envs, twin):
        each.reset(seed=0)
    good = envs.action_masks().argmax(axis=1)
    with pytest.raises(co_gym.InputError, match="against the mask"):
        envs.step(np.array([good[0], envs.action_masks()[1].argmin()]))
    np.testing.assert_array_equal(envs.step(good)[1], twin.step(good)[1])
    np.testing.assert_array_equal(envs.action_masks(), twin.action_masks())
    envs.close()
    twin.close()


def test_ctrl_c_during_a_step_ends_the_episode(bare: Any) -> None:
    environment = gymnasium.make("co_gym/Branching-v0", instances="set-cover-medium", observation="none").unwrapped
    environment.begin_reset(seed=0)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            environment.finish_reset()
    finally:
        signal.signal(signal.SIGINT, before)
    with pytest.raises(gymnasium.error.ResetNeeded):
        environment.step(0)
    environment.close()

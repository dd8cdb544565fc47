"""Predictors with random weights and pools of random values, for tests of what uses them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from co_gym import registry
from co_gym.formulation import MixedIntegerProgram
from policies.branching.batch import Batch
from policies.prediction.cards import PredictionBudget, PredictionCard
from policies.prediction.features import describe, graph_of
from policies.prediction.format import Pool, write_manifest
from policies.prediction.network import Predictor
from policies.prediction.samples import batch_of, sample_of
from policies.prediction.weights import save
from policies.weights.cards import Part
from policies.weights.known import known


def batch(program: MixedIntegerProgram) -> Batch:
    """A program alone, with a pool that holds nothing but zeros."""
    columns = np.flatnonzero(program.binary).astype(np.int32)
    values = np.zeros((1, columns.size), dtype=bool)
    minimize, size = program.sense == "minimize", program.num_variables
    pool = Pool(columns=columns, objectives=np.zeros(1), values=values, minimize=minimize, variables=size)
    return batch_of([sample_of(program, pool)])


def write_predictor(
    folder: Path, programs: Mapping[str, MixedIntegerProgram], name: str = "random", **arguments: Any
) -> Predictor:
    """Writes card and weights of a network that knows some programs, and returns it.

    Args:
        folder: Where to.
        programs: By name of their distribution.
        name: Of the weights.
        **arguments: Of the network.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Predictor(**arguments).eval()
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    network.fit([batch(program) for program in programs.values()])
    network.scale.fill_(0.2)
    network.shift.fill_(-0.4)
    card = PredictionCard(
        name=name,
        network=Part(class_path="policies.prediction.network.Predictor", init_args=arguments),
        trained=tuple(known(key, 1, describe(graph_of(program))[None]) for key, program in programs.items()),
        seed=0,
        budget=PredictionBudget(instances=len(programs), minutes=0.0, threads=1, machine="none"),
        loss="cross-entropy",
    )
    save(network, card, folder)
    return network


def write_pools(folder: Path, name: str, training: int = 2, validation: int = 2) -> None:
    """Writes pools of two points each that are no solutions, of a distribution's first instances.

    Args:
        folder: Where to.
        name: Of the distribution.
        training: How many of training.
        validation: How many of validation.
    """
    write_manifest(folder, name)
    for split, count in (("train", training), ("validation", validation)):
        (folder / split).mkdir(parents=True)
        for number in range(count):
            instance = registry.distribution("milp", name).instance(split, number)
            program = registry.problem("mip").formulate(instance).program
            columns = np.flatnonzero(program.binary).astype(np.int32)
            Pool(
                columns=columns,
                objectives=np.ones(2),
                values=np.random.default_rng(number).random((2, columns.size)) < 0.1,
                minimize=program.sense == "minimize",
                variables=program.num_variables,
                seconds=12.0,
            ).save(folder / split / f"{number:05d}.npz")

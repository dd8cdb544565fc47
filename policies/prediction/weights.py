"""Weights that predict solutions, on disk and from a training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from policies.branching.graph import BipartiteGraph
from policies.prediction.cards import PredictionBudget, PredictionCard
from policies.prediction.evaluation import evaluate
from policies.prediction.features import describe
from policies.prediction.network import Predictor
from policies.prediction.samples import Sample, read_pools
from policies.weights import networks
from policies.weights.known import Known, known
from policies.weights.runs import config_of, minutes_of, read_config, section

TRAINING = "policies.learning.prediction.SolutionPrediction"


def load(name_or_path: str | Path, folder: str | Path) -> Predictor:
    """The network of a card, in evaluation mode; see `policies.weights.networks.load`."""
    return networks.load(name_or_path, folder, PredictionCard, Predictor)


def save(network: Predictor, card: PredictionCard, folder: str | Path) -> Path:
    """Writes weights and card; see `policies.weights.networks.save`."""
    return networks.save(network, card, Predictor, folder)


def from_lightning(
    checkpoint: Path,
    *,
    name: str,
    config: Path | None = None,
    minutes: float | None = None,
    threads: int = 1,
    machine: str = "unknown",
) -> tuple[Predictor, PredictionCard]:
    """The network in a Lightning checkpoint, and its card with its figures on the validation pools.

    Args:
        checkpoint: The `.ckpt`.
        name: Name of the weights.
        config: The configuration; by default the one beside the run.
        minutes: Minutes of wall-clock time that the training took; None: as the checkpoint says.
        threads: Threads of the training.
        machine: What it ran on.

    Raises:
        InputError: If a file is missing, malformed or not as expected, the pools' included.
    """
    where = config_of(checkpoint) if config is None else config
    settings = read_config(where)
    network, part, saved = networks.trained(checkpoint, settings, where, Predictor)
    data, model = section(settings, "data.init_args", where), section(settings, "model.init_args", where)
    package, temperature = data.get("package") or "milp", float(model.get("temperature") or 0.02)
    trained, results, seconds = [], {}, 0.0
    for folder in data.get("folders") or []:
        samples, held_out = (read_pools(folder, split, package) for split in ("train", "validation"))
        trained.append(_known(Path(folder).name, samples))
        results[Path(folder).name] = evaluate(network, held_out, temperature)
        seconds += sum(sample.seconds for sample in [*samples, *held_out])
    budget = PredictionBudget(
        instances=sum(one.instances for one in trained),
        solutions=sum(one.samples for one in trained),
        seen=int(saved.get("instances", 0)),
        minutes=minutes_of(saved) if minutes is None else minutes,
        labelling_minutes=round(seconds / 60, 1),
        threads=threads,
        machine=machine,
    )
    card = PredictionCard(
        name=name,
        network=part,
        trained=tuple(trained),
        seed=int(data.get("seed") or 0),
        budget=budget,
        results=results,
        loss=str(model.get("loss") or "cross-entropy"),
    )
    return network, card


def _known(name: str, samples: Sequence[Sample]) -> Known:
    parts = ("variables", "rows", "indptr", "indices", "values")
    graphs = [BipartiteGraph(*(sample.graph[part].numpy() for part in parts)) for sample in samples]
    solutions = sum(len(sample.pool) for sample in samples)
    return known(name, solutions, np.stack([describe(graph) for graph in graphs]))

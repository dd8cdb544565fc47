"""Every configuration that comes with the package trains and validates, cut down to a moment."""

from pathlib import Path

import pytest
import torch
import yaml

from policies.branching.hybrid import FEATURES
from policies.branching.synthetic import write_folder
from policies.learning.cli import CONFIGS, main
from policies.prediction.synthetic import write_pools

TINY = {
    "policies.encoders.attention.AttentionEncoder": {"width": 16, "heads": 2, "layers": 1, "feedforward": 16},
    "policies.encoders.gated_gcn.GatedGCNEncoder": {"width": 16, "layers": 1, "neighbours": 3, "edge_width": 8},
    "policies.decoders.pointer.PointerDecoder": {"heads": 2},
    "policies.branching.gcnn.GCNN": {"width": 8},
    "policies.prediction.network.Predictor": {"width": 8},
}


def shrunk(node):
    """The configuration with small networks, and few and small instances."""
    if isinstance(node, list):
        return [shrunk(each) for each in node]
    if not isinstance(node, dict):
        return node
    found = {key: shrunk(value) for key, value in node.items()}
    if found.get("class_path") in TINY:
        found.setdefault("init_args", {}).update(TINY[found["class_path"]])
    small = {"batch_size": 2, "batches": 1, "count": 2, "size": 6, "samples": 4, "jobs": 1, "validation_count": 1}
    return found | {key: value for key, value in small.items() if key in found}


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: str(path.relative_to(CONFIGS)))
def test_a_configuration_trains_and_validates(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = shrunk(yaml.safe_load(path.read_text()))
    config["trainer"].pop("callbacks", None)  # other weights are of another width
    config["trainer"] |= {"max_epochs": 1, "num_sanity_val_steps": 0, "check_val_every_n_epoch": 1}
    pools = config["data"]["class_path"].endswith("SolutionPools")
    if pools:
        config["data"]["init_args"].setdefault("folders", ["set-cover-tiny"])  # coco.yaml leaves them to the user
    if "folders" in config["data"]["init_args"]:
        for folder in config["data"]["init_args"]["folders"]:
            if pools:
                write_pools(tmp_path / folder, Path(folder).name)
            else:
                write_folder(tmp_path / folder, 2, 1, samples=2, f=FEATURES)
    else:
        config["data"]["init_args"] |= {"validation_count": 1}
    Path("tiny.yaml").write_text(yaml.safe_dump(config))
    assert main(["fit", "--config", "tiny.yaml"]) == 0
    checkpoints = tmp_path / "lightning_logs/version_0/checkpoints"
    assert torch.load(checkpoints / "best.ckpt", weights_only=True)["global_step"] >= 1


def test_configurations_name_what_they_are_for():
    assert all(path.read_text().startswith("# ") for path in CONFIGS.rglob("*.yaml"))
    assert len(list(CONFIGS.rglob("*.yaml"))) >= 15

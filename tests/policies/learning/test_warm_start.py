import yaml

from policies.learning.cli import main
from policies.weights.checkpoint import save
from policies.weights.conversion import from_lightning


def warm(config, weights):
    settings = yaml.safe_load(config.read_text())
    callback = {"class_path": "policies.learning.warm_start.WarmStart", "init_args": {"weights": str(weights)}}
    config.write_text(yaml.safe_dump(settings | {"trainer": settings["trainer"] | {"callbacks": [callback]}}))


def test_training_begins_where_other_weights_are(train, config, weights, tmp_path):
    """With a learning rate of almost nothing the weights stay what they were given."""
    first = train("first")
    policy, card = from_lightning(first / "checkpoints/last.ckpt", name="given")
    path = save(policy, card, tmp_path / "weights")
    warm(config, path)
    second = weights(train("second", "--model.init_args.optimizer.lr=1e-12"))
    given = weights(first)
    assert given.keys() == second.keys()
    assert all((given[key] - second[key]).abs().max() < 1e-6 for key in given)


def test_weights_that_are_not_there_or_do_not_fit_end_in_one_message(config, capsys, tmp_path, train):
    warm(config, "no-such-weights")
    assert main(["fit", "--config", str(config), "--trainer.default_root_dir", str(tmp_path / "a")]) == 2
    assert "no-such-weights" in capsys.readouterr().err
    warm(config, "tsp20")
    assert main(["fit", "--config", str(config), "--trainer.default_root_dir", str(tmp_path / "b")]) == 2
    assert "another architecture" in capsys.readouterr().err

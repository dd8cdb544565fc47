"""Damaged files: each is read as something valid or refused with one message that names the file."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from co_gym import registry
from co_gym.errors import InputError
from co_gym.io import read
from co_gym.io.solutions import read_solution

MUTATIONS = 500
SECONDS = 5

WORDS = [
    "nan", "NaN", "inf", "-inf", "Infinity", "1e400", "-1e400", "1e20", "1e30", "1e-400", "9" * 23, "1000000000",
    "-1", "-5", "0", "0.5", "1_0", "abc", "'MARKER'", "'INTORG'", "'INTEND'", "RHS", "RANGES", "BOUNDS", "COLUMNS",
    "ROWS", "OBJSENSE", "MAX", "SOS", "S1", "INDICATORS", "QUADOBJ", "ENDATA", "NAME", "EOF", "NODE_COORD_SECTION",
    "EDGE_WEIGHT_SECTION", "DIMENSION:", "TYPE", "EXPLICIT", "GEO", "FULL_MATRIX", "FIXED_EDGES_SECTION", ":",
    "free", "[x^2]", "[", "]", "->", "=", "<=", ">=", "=<", "::", "x", "^2", "*", "/2", "\\", "General", "Semi",
    "Binary", "Bounds", "End", "Maximize", "1e", "e5", ".", "+", "-", "--", "0x10", "1.5.5", "1,5", "p", "e", "c",
    "n", "#", "2147483648", "9223372036854775807", "9223372036854775808", "1.0", "3800.0", "\x00", "\xff", "\xa0",
    "\x1c", "A" * 300, "9" * 5000,
]  # fmt: skip


def mutated(text: str, seed: int) -> str:
    """`text` with one to six kinds of damage."""
    rng = random.Random(seed)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 6])):
        text = rng.choice(DAMAGE)(rng, text or " ")
    return text


def _truncate(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(len(text))]


def _behead(rng: random.Random, text: str) -> str:
    return text[rng.randrange(len(text)) :]


def _lines(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(4)
    if kind == 0:
        del lines[i]
    elif kind == 1:
        lines.insert(j, lines[i])
    elif kind == 2:
        lines[i], lines[j] = lines[j], lines[i]
    else:
        lines.insert(i, " " + " ".join(rng.choices(WORDS, k=rng.randrange(1, 5))))
    return "\n".join(lines)


def _words(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    i = rng.randrange(len(lines))
    words = lines[i].split(" ")
    kind = rng.randrange(5)
    if kind == 0:
        rng.shuffle(words)
    elif kind == 1:
        words[rng.randrange(len(words))] = ""
    elif kind == 2:
        words.append(rng.choice(words))
    else:
        words[rng.randrange(len(words))] = rng.choice(WORDS)
    lines[i] = " ".join(words)
    return "\n".join(lines)


def _noise(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text))
    return text[:at] + "".join(chr(rng.randrange(256)) for _ in range(rng.randrange(1, 40))) + text[at:]


def _blocks(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    a, b, c = sorted(rng.randrange(len(lines) + 1) for _ in range(3))
    return "\n".join(lines[:a] + lines[b:c] + lines[a:b] + lines[c:])


def _negate(rng: random.Random, text: str) -> str:
    digits = [i for i, character in enumerate(text) if character.isdigit()] or [0]
    at = rng.choice(digits)
    return text[:at] + rng.choice("-+.e_7") + text[at:]


def _blanks(rng: random.Random, text: str) -> str:
    return text.replace("\n", rng.choice(["\r\n", "\r", " ", "\n\n", "\t\n"]))


DAMAGE = [_truncate, _behead, _lines, _lines, _words, _words, _words, _noise, _blocks, _negate, _negate, _blanks]


@contextmanager
def time_limit(what: str) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"{what} took more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


FILES = [
    "burma14.tsp", "gr17.tsp", "p07.kp", "mknap1.txt", "weing1.dat", "karate.gph", "nug12.dat",
    "ms_03_050_002.dat", "flugpl.mps", "small.lp",
]  # fmt: skip


def outcome(action: Callable[[], Any], path: Path, label: str) -> Any:
    """What `action` returns, None if it refuses the file as it should; fails at anything else."""
    with time_limit(label):
        try:
            return action()
        except InputError as error:
            message = str(error)
        except Exception as error:
            raise AssertionError(f"{label}: {error!r}") from error
    assert message.startswith(str(path)), label
    assert len(message) < 1000 + len(str(path)), label
    assert "\n" not in message, label
    return None


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("forced", [False, True], ids=["recognised", "named"])
def test_damaged_instances(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], file: str, forced: bool
) -> None:
    original = (data / file).read_text(encoding="latin-1")
    formats = registry.formats()
    suffix = Path(file).suffix
    name = max(formats, key=lambda label: formats[label].confidence(original, suffix)) if forced else None
    path = tmp_path / f"damaged{suffix}"
    refused = 0
    half = MUTATIONS // 2
    for seed in range(half, MUTATIONS) if forced else range(half):
        path.write_bytes(mutated(original, seed).encode("latin-1", errors="replace"))
        found = outcome(lambda: read(path, format=name), path, f"{file}, seed {seed}")
        refused += found is None
        for instance in found or []:
            registry.problem(instance.problem).instance(instance.data)
    assert refused > half // 4
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("berlin52.tsp", "berlin52.opt.tour"),
        ("small.lp", "objective value: 23\nx 4\nz 2\n"),
        ("small.lp", '{"instance": "small", "problem": "mip", "objective": 23, "solution": {"x": 4, "z": 2}}'),
        ("gr17.tsp", "# tour\n" + "\n".join(map(str, range(17)))),
        ("gr17.tsp", str(list(range(17)))),
    ],
)
def test_damaged_solutions(data: Path, tmp_path: Path, file: str, content: str) -> None:
    (instance,) = read(data / file)
    suffix = ".tour" if content.endswith(".tour") else ".json" if content[0] in "[{" else ".sol"
    original = (data / content).read_text() if suffix == ".tour" else content
    path = tmp_path / f"damaged{suffix}"
    for seed in range(MUTATIONS):
        path.write_bytes(mutated(original, seed).encode("latin-1", errors="replace"))
        found = outcome(lambda: read_solution(path, instance), path, f"{suffix} of {file}, seed {seed}")
        assert found is None or (found.ndim == 1 and found.dtype.kind in "if")

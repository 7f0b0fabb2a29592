"""The one property of all fuzzing: a promised result, or a refusal in one sentence. Nothing else, ever."""

import os
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import UnsatisfiedAssumption

# Every entry point is tried a little in every run, and less where an input takes the whole method; scripts/test --all
# and --fuzz alone ask for thousands.
EXAMPLES = int(os.environ.get("PAINTSEG_FUZZ_EXAMPLES", "50"))
SLOW_EXAMPLES = int(os.environ.get("PAINTSEG_SLOW_EXAMPLES", min(EXAMPLES, 20)))

LEAST_ACCEPTED = 0.1
"""Share of an entry point's inputs that must be good ones: behind a refusal nothing is tried any more."""
ENOUGH = 100  # inputs before that share means anything

SENTENCE = 600  # characters: longer is no sentence
REFUSALS = {"InputError", "WeightsError", "PainterError", "StorageError"}


def fuzzed(test, examples=EXAMPLES):
    """Run a test on many inputs, the same ones in every run; `--hypothesis-profile=thorough` draws new ones.

    What fails is not shrunk: that takes minutes and is for a person at a terminal.
    """
    return settings(
        max_examples=examples,
        deadline=None,
        # Asked for here and not at import: pytest loads the profile of its command line after its conftest files.
        derandomize=settings().derandomize,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )(test)


def fuzzed_slowly(test):
    """The same for what runs the whole method and takes ten times as long; scripts/test --all does not give it more."""
    return fuzzed(test, SLOW_EXAMPLES)


@dataclass
class Count:
    """Of one entry point."""

    accepted: int = 0
    refused: int = 0
    crashed: int = 0

    @property
    def tried(self):
        return self.accepted + self.refused + self.crashed


TALLY: dict[str, Count] = defaultdict(Count)


@contextmanager
def attempt(name):
    """Count what becomes of what is tried inside; a refusal in one sentence ends the block, the rest is passed on.

    Refusals are known by their names: the nodes' library is another import than the tests'. Inputs are drawn outside
    the block or inside; those that Hypothesis gives up half-drawn (its StopTest is no Exception) do not count.
    """
    count = TALLY[name]
    try:
        yield
    except UnsatisfiedAssumption:
        raise
    except Exception as error:
        if not REFUSALS & {kind.__name__ for kind in type(error).__mro__}:
            count.crashed += 1
            raise
        count.refused += 1
        assert_sentence(str(error))
    else:
        count.accepted += 1


def counted():
    """Accepted and tried so far, by entry point."""
    return {name: (count.accepted, count.tried) for name, count in TALLY.items()}


def assert_reached(before):
    """Every entry point tried since `before = counted()` took a good part of its inputs."""
    for name, (accepted, tried) in counted().items():
        accepted, tried = accepted - before.get(name, (0, 0))[0], tried - before.get(name, (0, 0))[1]
        assert tried < ENOUGH or accepted >= LEAST_ACCEPTED * tried, (
            f"{name} refused all but {accepted} of {tried} inputs: draw more that are well-formed"
        )


def assert_sentence(text):
    """One line that a person can read."""
    assert text and text == text.strip() and len(text) <= SENTENCE, text
    assert text.isprintable() or not set(text) & set("\n\r\x0b\x0c\x85\u2028\u2029"), text

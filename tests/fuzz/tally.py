"""The one property of all fuzzing: a promised result, or a refusal in one sentence. Nothing else, ever."""

import os
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("PAINTSEG_FUZZ_EXAMPLES", "2000"))
SLOW_EXAMPLES = int(os.environ.get("PAINTSEG_SLOW_EXAMPLES", EXAMPLES))

# Derandomised: a change that breaks nothing fails nothing. Shrinking takes minutes and is for a person at a terminal.
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)

# What runs the whole method takes ten times as long as the rest; scripts/test --all does not give it more.
fuzzed_slowly = settings(fuzzed, max_examples=SLOW_EXAMPLES)

SENTENCE = 600  # characters: longer is no sentence


@dataclass
class Count:
    """Of one entry point."""

    tried: int = 0
    refused: int = 0
    crashed: int = 0


TALLY: dict[str, Count] = defaultdict(Count)


@contextmanager
def attempt(name):
    """Count what is tried inside; a refusal in one sentence ends the block, anything else is passed on.

    Refusals are known by their names: the nodes' library is another import than the tests'.
    """
    count = TALLY[name]
    count.tried += 1
    try:
        yield
    except Exception as error:
        if type(error).__name__ not in ("InputError", "WeightsError", "PainterError"):
            count.crashed += 1
            raise
        count.refused += 1
        assert_sentence(str(error))


def assert_sentence(text):
    """One line that a person can read."""
    assert text and text == text.strip() and len(text) <= SENTENCE, text
    assert text.isprintable() or not set(text) & set("\n\r\x0b\x0c\x85\u2028\u2029"), text

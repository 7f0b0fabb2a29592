"""The paper, section 4: the loop, what a step measures (eq. 1 and 2), the score (eq. 6)."""

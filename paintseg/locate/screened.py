"""The screened Poisson equation over an image's pixels, whose steps from neighbour to neighbour have any weights.

Conjugate gradients, preconditioned by a multigrid: where a click reaches a hundred pixels, plain ones need six hundred
steps, these thirty. A coarser grid joins two by two pixels, whose equations are added (aggregation: Braess 1995; Notay
2010). Everything is sums of whole planes in single precision. BLAS and its threads have no part in it: they are waited
for at every step, half a minute in all where another program keeps the cores busy.
"""

from __future__ import annotations

import numpy as np

_CLOSE = 1e-4  # residual of the equation, relative
_MOST = 300  # steps of the conjugate gradients
_DAMPED = 0.7  # of Jacobi's steps on every grid
_PUSHED = (
    1.6  # how much farther than they say coarser grids move the finer: blocks are stiffer than what they stand for
)
_SMALL = 6  # cells along the shorter side of the coarsest grid, at most
_LAST = 20  # Jacobi's steps there


def screened(edges: tuple[np.ndarray, np.ndarray], pull: float, towards: np.ndarray, held: np.ndarray) -> np.ndarray:
    """x of (D - W + pull I) x = pull towards, h x w float32; x = towards where held. D holds the row sums of W.

    Args:
        edges: the weights W of the steps down, (h - 1) x w, and across, h x (w - 1), above 0.
        pull: above 0; its inverse square root is the length in pixels over which a value held reaches.
        towards: h x w. held: h x w bool.
    """
    down, across = (each.astype(np.float32) for each in edges)
    towards, free = towards.astype(np.float32), (~held).astype(np.float32)
    nothing = np.zeros_like(towards)
    everywhere = _Grid(down, across, nothing)
    within = _Grid(down * free[1:] * free[:-1], across * free[:, 1:] * free[:, :-1], nothing)
    # The steps to values that are held pull like the rest; a value that is held stands for itself.
    pulls = np.where(held, 1, pull + everywhere.diagonal - within.diagonal).astype(np.float32)
    grids = [_Grid(within.down, within.across, pulls)]
    while min(pulls.shape) > _SMALL:
        grids.append(grids[-1].coarser())
        pulls = grids[-1].pulls
    right = free * (np.float32(pull) * towards + everywhere.around((1 - free) * towards))
    return np.where(held, towards, _solved(grids, right, free * towards))


class _Grid:
    """A symmetric system over the cells of a plane: each is tied to its four neighbours, and pulled to 0.

    Attributes:
        down, across: weights of the ties, (h - 1) x w and h x (w - 1). pulls: h x w.
        diagonal: h x w, the sums of a cell's ties and its pull.
    """

    def __init__(self, down: np.ndarray, across: np.ndarray, pulls: np.ndarray) -> None:
        self.down, self.across, self.pulls = down, across, pulls
        self.diagonal = self.around(np.ones_like(pulls)) + pulls
        # a cell outside the image, beside an odd last row, is tied to nothing
        self._damped = np.divide(_DAMPED, self.diagonal, out=np.zeros_like(pulls), where=self.diagonal > 0)

    def around(self, plane: np.ndarray) -> np.ndarray:
        """The sums of the neighbours' values times their ties."""
        sums = np.zeros_like(plane)
        sums[:-1] += self.down * plane[1:]
        sums[1:] += self.down * plane[:-1]
        sums[:, :-1] += self.across * plane[:, 1:]
        sums[:, 1:] += self.across * plane[:, :-1]
        return sums

    def times(self, plane: np.ndarray) -> np.ndarray:
        """The system applied to values."""
        return self.diagonal * plane - self.around(plane)

    def smoothed(self, right: np.ndarray, start: np.ndarray | None, steps: int) -> np.ndarray:
        """Values some damped Jacobi steps closer to the solution; None starts from 0."""
        values = self._damped * right if start is None else start
        for _ in range(steps - (start is None)):
            values = values + self._damped * (right - self.times(values))
        return values

    def coarser(self) -> _Grid:
        """The system of blocks of two by two cells, whose values are equal."""
        across = _paired(self.across[:, 1::2].T).T
        return _Grid(_paired(self.down[1::2]), across, _blocks(self.pulls))


def _solved(grids: list[_Grid], right: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The finest grid's solution, from values close to it."""
    system = grids[0]
    rest = right - system.times(values)
    enough = _CLOSE**2 * _product(right, right)
    step = turned = _cycle(grids, rest)
    gain = _product(rest, turned)
    for _ in range(_MOST):
        if _product(rest, rest) <= enough or not gain > 0:
            break
        pushed = system.times(step)
        far = np.float32(gain / _product(step, pushed))
        values, before, rest = values + far * step, rest, rest - far * pushed
        turned = _cycle(grids, rest)
        # Polak and Ribiere's, since a cycle is not quite the same map every time in single precision
        gain, share = _product(rest, turned), _product(rest - before, turned) / gain
        step = turned + np.float32(max(0.0, share)) * step
    return values


def _cycle(grids: list[_Grid], right: np.ndarray) -> np.ndarray:
    """About the solution: smoothed, moved as the coarser grids say, smoothed again."""
    grid, *coarser = grids
    if not coarser:
        return grid.smoothed(right, None, _LAST)
    values = grid.smoothed(right, None, 2)
    moved = _cycle(coarser, _blocks(right - grid.times(values)))
    height, width = right.shape
    values = values + _PUSHED * moved.repeat(2, 0).repeat(2, 1)[:height, :width]
    return grid.smoothed(right, values, 2)


def _blocks(plane: np.ndarray) -> np.ndarray:
    """Sums over blocks of two by two cells."""
    return _paired(_paired(plane.T).T)


def _paired(plane: np.ndarray) -> np.ndarray:
    """Sums of every two columns; an odd last one stays alone."""
    sums = plane[:, ::2].copy()
    sums[:, : plane.shape[1] // 2] += plane[:, 1::2]
    return sums


def _product(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.einsum("ij,ij->", one, other, dtype=np.float64))

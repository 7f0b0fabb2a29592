"""How a partly hidden object goes on, told from the shape of what is visible.

Contours go on as they were going: inside the hidden area the signed distance to the visible contour is continued by the
biharmonic equation, whose solution is the smoothest surface with the border's values and slopes. Straight edges stay
straight and bends go on bending. The convex hull of the visible part has a smaller say: most things are nearly convex.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from scipy.ndimage import distance_transform_edt
from scipy.sparse.linalg import spsolve
from scipy.spatial import Delaunay, QhullError
from torch import Tensor

from ..ops.boxes import box_around
from ..ops.images import resize, size_of
from .window import nearby

SIDE = 128
"""Longer side in pixels at which the equation is solved."""

REACH = 0.1
"""Distance from the contour beyond which depth counts no more, over the square root of the visible part's area."""

_HULL = 0.3  # say of the hull, against 1 of the contours
_MARGIN = 0.1  # around what is looked at, over its longer side


def shape_vote(seen: Tensor, hidden: Tensor) -> tuple[Tensor, float]:
    """How deep in the object hidden pixels are by its shape.

    Args:
        seen: H x W bool, the visible part, not empty. hidden: H x W bool, where the object may go on; what is seen is
            known there all the same. Everything else is known not to be the object.

    Returns:
        H x W: in units of the reach, mostly -1.3 to 1.3, above 0 for the object; 0 where not hidden. And the reach
        in pixels.
    """
    looked_at = seen | hidden
    x0, y0, x1, y1 = box_around(looked_at[None, None])
    rows, columns = nearby(looked_at, 2 + round(_MARGIN * max(x1 - x0, y1 - y0)))
    part, covered = seen[rows, columns], (hidden & ~seen)[rows, columns]
    ratio = min(1.0, SIDE / max(part.shape))
    small = tuple(max(2, round(side * ratio)) for side in part.shape)
    there, unknown = (
        resize(mask[None, None].float().cpu(), (small[0], small[1]))[0, 0].numpy() for mask in (part, covered)
    )
    gap = unknown > 0.3
    known = (there > 0.5) & ~gap
    if not known.any():  # too thin to be seen this small
        known = (there >= there.max()) & (there > 0)
        gap &= ~known
    reach = max(1.0, REACH * float(np.sqrt(known.sum())))
    depth = _depth(known, ~known & ~gap, reach)
    votes = continued(depth, gap) / reach
    votes += _HULL * (_depth(hull := convex_hull(torch.from_numpy(known)).numpy(), ~hull, reach) / reach)
    result = torch.zeros(size_of(seen))
    fine = resize(torch.from_numpy(votes)[None, None].float(), size_of(part), clamp=False)[0, 0]
    result[rows, columns] = torch.where(covered.cpu(), fine, torch.zeros(()))
    return result.to(seen.device), reach / ratio


def continued(values: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Values h x w, continued into a gap h x w bool by the biharmonic equation; the border of the image is free.

    Not all may be gap.
    """
    unknown = gap.ravel()
    if not unknown.any():
        return values
    laplacian = _laplacian(gap.shape)
    energy = (laplacian.T @ laplacian).tocsr()[np.flatnonzero(unknown)]
    filled = values.astype(np.float64).ravel()
    inner, outer = energy[:, np.flatnonzero(unknown)], energy[:, np.flatnonzero(~unknown)]
    filled[unknown] = spsolve(inner.tocsc(), -outer @ filled[~unknown])
    return filled.reshape(gap.shape)


def convex_hull(mask: Tensor) -> Tensor:
    """Convex hull of a mask, H x W bool; the mask itself when it has none."""
    try:
        corners = Delaunay(mask.nonzero().numpy())
    except (QhullError, ValueError):
        return mask
    rows, columns = np.meshgrid(*(np.arange(side) for side in mask.shape), indexing="ij")
    inside = corners.find_simplex(np.stack([rows, columns], -1).reshape(-1, 2)) >= 0
    return torch.from_numpy(inside.reshape(size_of(mask)))


def _depth(inside: np.ndarray, outside: np.ndarray, reach: float) -> np.ndarray:
    """Pixels to what is outside from what is inside, and the other way round with a minus; at most the reach."""
    deep = distance_transform_edt(~outside) if outside.any() else np.full(inside.shape, reach)
    return np.where(inside, deep, np.where(outside, -distance_transform_edt(~inside), 0.0)).clip(-reach, reach)


def _laplacian(size: tuple[int, ...]) -> sparse.csr_matrix:
    """Of a grid h x w with a free border, hw x hw."""

    def along(length: int) -> sparse.csr_matrix:
        steps = sparse.diags([-1.0, 1.0], [0, 1], shape=(max(0, length - 1), length))
        return (steps.T @ steps).tocsr()

    rows, columns = (along(side) for side in size)
    return sparse.csr_matrix(
        sparse.kron(rows, sparse.identity(size[1])) + sparse.kron(sparse.identity(size[0]), columns)
    )

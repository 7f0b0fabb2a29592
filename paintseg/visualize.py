"""Pictures of what the method does: masks over photos, prompts drawn, potentials as heat, steps."""

from __future__ import annotations

import colorsys

import torch
import torch.nn.functional as F
from PIL import ImageDraw
from torch import Tensor

from .amcp.loop import State, hole_around
from .errors import InputError
from .io.formats import from_image, to_image
from .io.inputs import fit_strokes
from .ops.images import resize, resize_mask, size_of
from .ops.kmeans import kmeans1d
from .ops.morphology import dilate
from .prompts import Prompt
from .views.view import View

OBJECT = (0.0, 0.78, 0.47)
NOT_OBJECT = (0.92, 0.26, 0.21)
_HEAT = ((0.03, 0.02, 0.10), (0.32, 0.07, 0.43), (0.73, 0.21, 0.33), (0.96, 0.50, 0.13), (0.99, 0.95, 0.67))


def overlay(image: Tensor, mask: Tensor, colour: tuple[float, float, float] = OBJECT) -> Tensor:
    """The image with the mask tinted, its outline drawn and the rest dimmed.

    Args:
        image: 3 x H x W in [0, 1].
        mask: H x W in [0, 1] or bool.
        colour: RGB in [0, 1].

    Returns 3 x H x W in [0, 1].
    """
    mask = mask.float().to(image.device)
    tint = torch.tensor(colour, device=image.device).view(3, 1, 1)
    inside, outside = 0.7 * image + 0.3 * tint, 0.45 * image
    width = max(1, round(max(mask.shape) / 500))
    hard = (mask > 0.5)[None, None]
    outline = (dilate(hard, width) & ~hard)[0, 0]
    return torch.where(outline, tint, inside * mask + outside * (1 - mask)).clamp(0, 1)


def overlay_objects(image: Tensor, labels: Tensor) -> Tensor:
    """The image with every object tinted in a colour of its own and outlined, the rest dimmed.

    Args:
        image: 3 x H x W in [0, 1].
        labels: H x W, 0 the background, n the n-th object; neighbours in number differ most in colour.

    Returns 3 x H x W in [0, 1].
    """
    shown = 0.45 * image
    for number in labels.unique().tolist():
        if number > 0:
            hue = number * 0.61803  # the golden ratio: however many there are, no two are close
            colour = colorsys.hsv_to_rgb((hue + 0.82) % 1, 0.9, 0.95)
            own = overlay(image, labels == number, colour)
            near = dilate((labels == number)[None, None], max(1, round(max(labels.shape) / 500)))[0, 0]
            shown = torch.where(near, own, shown)
    return shown


def heat_map(values: Tensor, scope: Tensor | None = None) -> Tensor:
    """Values as colours from near-black over red to pale yellow, lighter for higher.

    Args:
        values: H x W in [0, 1].
        scope: H x W bool, where values mean something; elsewhere it stays grey. None: everywhere.

    Returns 3 x H x W in [0, 1].
    """
    anchors = torch.tensor(_HEAT, device=values.device)
    place = values.float().clamp(0, 1) * (len(_HEAT) - 1)
    lower = place.floor().long().clamp(max=len(_HEAT) - 2)
    share = (place - lower)[..., None]
    colours = (anchors[lower] * (1 - share) + anchors[lower + 1] * share).movedim(-1, 0)
    return colours if scope is None else torch.where(scope, colours, torch.full_like(colours, 0.5))


def unit_range(values: Tensor, scope: Tensor) -> Tensor:
    """Values H x W moved and scaled so that they span [0, 1] over the scope, 0 outside it; flat ones give 0.

    Args:
        scope: H x W bool.
    """
    if not scope.any():
        return torch.zeros_like(values)
    low, high = values[scope].min(), values[scope].max()
    span = high - low
    if not span > torch.finfo(span.dtype).tiny:
        return torch.zeros_like(values)
    return torch.where(scope, ((values - low) / span).clamp(0, 1), 0.0)


def draw_prompt(image: Tensor, prompt: Prompt) -> Tensor:
    """The image 3 x h x w with the prompt over it: green for the object, red for what is not.

    The image may be a smaller copy of the one the prompt is for.
    """
    drawn, size = image, size_of(image)
    across, down = size[1] / prompt.size[1], size[0] / prompt.size[0]
    if prompt.mask is not None:
        drawn = overlay(drawn, resize_mask(prompt.mask, size))
    for strokes, colour in ((prompt.scribble, OBJECT), (prompt.negative_scribble, NOT_OBJECT)):
        if strokes is not None:
            drawn = torch.where(fit_strokes(strokes, size), torch.tensor(colour).view(3, 1, 1), drawn)
    picture = to_image(drawn)
    pen = ImageDraw.Draw(picture)
    width = max(2, round(max(size) / 250))
    if prompt.box is not None:
        x0, y0, x1, y1 = (edge * scale for edge, scale in zip(prompt.box, (across, down, across, down), strict=True))
        pen.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=_bytes(OBJECT), width=width)
    for points, colour in ((prompt.points, OBJECT), (prompt.negative_points, NOT_OBJECT)):
        for x, y in points:
            x, y, reach = x * across, y * down, 3 * width
            pen.ellipse(
                (x - reach, y - reach, x + reach, y + reach),
                fill=_bytes(colour),
                outline="white",
                width=max(1, width // 2),
            )
    return from_image(picture)


def step_frame(state: State) -> Tensor:
    """A step side by side: what was painted, and the mask after it on the photo.

    Returns 3 x S x 2S in [0, 1], S the view's size; the view is centred in each half.
    """
    height, width = state.scene.view.content
    photo = state.scene.canvas[0, :, :height, :width]
    painting = photo if state.painting is None else state.painting[0, :, :height, :width]
    masked = overlay(photo, state.mask[0, 0, :height, :width])
    side = state.scene.config.size
    return torch.cat([letterbox(picture, (side, side)) for picture in (painting, masked)], dim=2)


def letterbox(image: Tensor, size: tuple[int, int]) -> Tensor:
    """The image 3 x H x W scaled to fit into `size` (H, W), centred on grey."""
    ratio = min(size[0] / image.shape[1], size[1] / image.shape[2])
    height, width = (max(1, round(side * ratio)) for side in image.shape[1:])
    left, top = (size[1] - width) // 2, (size[0] - height) // 2
    room = (left, size[1] - width - left, top, size[0] - height - top)
    return F.pad(resize(image[None], (height, width))[0], room, value=0.5)


def painted_photo(state: State) -> Tensor:
    """The photo, 3 x H x W, with the first painting of the last step in place, if there was one."""
    scene = state.scene
    if state.painting is None or state.direction is None or state.region is None:
        return scene.photo[0]
    hole = scene.view.paste(hole_around(state.region, state.direction, scene).float()) > 0.5
    return torch.where(hole, scene.view.paste(state.painting[:1]), scene.photo)[0].clamp(0, 1)


def potential_map(state: State) -> Tensor:
    """The last step's potential over the photo, H x W, spanning [0, 1] inside the contrast box."""
    phi, view = state.potential, state.scene.view
    if phi is None:
        return torch.zeros(view.photo)
    return over_photo(phi.total, view.paste(phi.scope.float())[0, 0] > 0.5, view)


def over_photo(term: Tensor, scope: Tensor, view: View) -> Tensor:
    """The mean of a term N x 1 x h x w of the canvas over the photo, H x W, spanning [0, 1] inside a scope H x W."""
    return unit_range(view.paste(term.mean(0, keepdim=True))[0, 0], scope)


def cluster_map(state: State) -> Tensor:
    """The clusters of the last step's potential (eq. 3) over the photo, H x W: 1 in the highest, 0 in the lowest and
    outside the contrast box, what is ambiguous between them; the mean over the paintings."""
    scene = state.scene
    if state.potential is None:
        return torch.zeros(scene.view.photo)
    phi = state.potential
    k = scene.config.clusters_at(state.step - 1, scene.prompt.kind)
    try:
        labels = kmeans1d(phi.values, k).labels(phi.total).float() / (k - 1)
    except InputError:  # the potential is the same everywhere
        return torch.zeros(scene.view.photo)
    return scene.view.paste((labels * phi.scope).mean(0, keepdim=True))[0, 0].clamp(0, 1)


def _bytes(colour: tuple[float, float, float]) -> tuple[int, int, int]:
    red, green, blue = (round(255 * share) for share in colour)
    return red, green, blue

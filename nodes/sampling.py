"""Diffusion models as painters: what ComfyUI's samplers need around the library's protocol."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import lcm
from typing import Literal

import comfy.model_management
import comfy.model_patcher
import comfy.samplers
import comfy.sd
import comfy.supported_models
import latent_preview
import torch
from comfy.model_base import BaseModel
from comfy_extras.nodes_differential_diffusion import DifferentialDiffusion
from torch import Tensor

from ..paintseg.amcp.progress import Progress
from ..paintseg.ops.images import size_of
from ..paintseg.painters import check_request, keep_outside
from ..paintseg.painters.fitting import Fit, fill_smoothly, fit, soften

Masking = Literal["auto", "on", "off"]

CANVAS_MULTIPLE = 64
"""Sides of what is sampled: UNets halve a latent of 1/8 three times."""

RAMP = 2
"""Latent cells beyond the hole over which differential diffusion lets the photo change less and less."""


@dataclass(frozen=True)
class DiffusionPainter:
    """A painter made of a guider, a sampler and its noise levels, and a VAE, all as ComfyUI wires them.

    A model that takes the masked photo and the mask as extra channels gets them; for any other the latent
    outside the hole is held by a noise mask, under differential diffusion unless the model has its own rule.

    Attributes:
        guider: comfy.samplers.CFGGuider or another guider; it is copied, never changed.
        sigmas: T + 1 noise levels, the first the highest.
        masking: whether a noise mask is used; "auto" uses it where the model does not take the mask itself.
        size: longer side in pixels the photo is scaled to.
        report: told how far the paintings are.
    """

    guider: comfy.samplers.CFGGuider
    sampler: comfy.samplers.Sampler
    sigmas: Tensor
    vae: comfy.sd.VAE
    masking: Masking = "auto"
    size: int = 512
    report: Progress | None = None

    multiple = 8
    stochastic = True

    @property
    def name(self) -> str:
        """The model's kind, for messages."""
        return type(self._model).__name__

    @property
    def _model(self) -> BaseModel:
        return self.guider.model_patcher.model

    def reporting(self, report: Progress) -> DiffusionPainter:
        """The same painter, telling `report` how far its paintings are."""
        return replace(self, report=report)

    def paint(self, image: Tensor, hole: Tensor, count: int = 1, generator: torch.Generator | None = None) -> Tensor:
        """See `Painter.paint`. Where a sampler adds noise, a painting depends on those of its batch."""
        check_request(self, image, hole, count)
        if not (hole > 0.5).any():
            return image.expand(count, -1, -1, -1).clone()
        request = self._fit(image)
        shown = request.show_image(fill_smoothly(image, hole)).cpu()
        task = self._task(shown, request.show_hole(hole).cpu())
        shape = task.latent.shape
        draws = []
        for _ in range(count):
            seed = int(torch.randint(2**62, (), generator=generator))
            draws.append((seed, torch.randn(shape, generator=generator)))
        painted = self._in_batches(task, draws)
        return keep_outside(image, hole, request.restore(painted).to(image.device))

    def round_trip(self, image: Tensor) -> Tensor:
        """The photo, 3 x H x W, through the VAE and back; see `painters.round_trip`."""
        request = self._fit(image)
        pixels = self._decode(self._encode(request.show_image(image).cpu()))
        return request.restore(pixels)[0].to(image)

    def _fit(self, image: Tensor) -> Fit:
        multiple = lcm(CANVAS_MULTIPLE, self.vae.spacial_compression_encode())
        return fit(size_of(image), multiple, self.size)

    def _task(self, shown: Tensor, area: Tensor) -> Task:
        """Everything about a request that its paintings share.

        Args:
            shown: 3 x h x w with the hole filled. area: 1 x h x w of 0 and 1.
        """
        latent = self._encode(shown)
        cells = torch.nn.functional.adaptive_max_pool2d(area[None], size_of(latent))
        takes_mask = listens_to_mask(self._model, latent)
        masked = self.masking == "on" or (self.masking == "auto" and not takes_mask)
        guider = copy.copy(self.guider)
        if takes_mask:
            # Models given the mask at the latent's size round it: no painted pixel may be lost there.
            values = {
                "concat_latent_image": self._encode(torch.where(area > 0.5, 0.5, shown)),
                "concat_mask": cells if self._model.concat_keys else area[None],
            }
            guider.original_conds = {
                name: [{**cond, **values} for cond in group] for name, group in guider.original_conds.items()
            }
        if masked and "denoise_mask_function" not in guider.model_options:
            options = comfy.model_patcher.create_model_options_clone(guider.model_options)
            options["denoise_mask_function"] = partial(DifferentialDiffusion.forward, strength=1.0)
            guider.model_options = options
        return Task(guider, latent, soften(cells, RAMP) if masked else None)

    def _in_batches(self, task: Task, draws: list[tuple[int, Tensor]]) -> Tensor:
        """The paintings, N x 3 x h x w, as many at once as memory allows."""
        size = self._fitting(task, len(draws))
        while True:
            try:
                return torch.cat(
                    [
                        self._sample(task, draws[at : at + size], at / len(draws), len(draws))
                        for at in range(0, len(draws), size)
                    ]
                )
            except Exception as problem:
                comfy.model_management.raise_non_oom(problem)
                if size == 1:
                    raise
            # Only here is the exception, which holds the tensors of the attempt, gone.
            comfy.model_management.soft_empty_cache()
            less = -(-size // 2)
            logging.warning("PaintSeg: %d paintings at once do not fit into memory; trying %d", size, less)
            size = less

    def _fitting(self, task: Task, count: int) -> int:
        """How many paintings ComfyUI expects to fit, conditional and unconditional side by side."""
        patcher = self.guider.model_patcher
        device = patcher.load_device
        if device.type == "cpu":  # a batch gains nothing there; one by one a painting depends on no other
            return 1
        room = comfy.model_management.get_total_memory(device) - patcher.model_size()
        size = count
        while size > 1 and self._model.memory_required([2 * size, *task.latent.shape[1:]]) > room:
            size = -(-size // 2)
        if size < count:
            logging.info("PaintSeg: %d paintings are sampled %d at once, as memory allows", count, size)
        return size

    def _sample(self, task: Task, draws: list[tuple[int, Tensor]], before: float, total: int) -> Tensor:
        seeds, noises = zip(*draws, strict=True)
        latents = task.latent.expand(len(draws), *task.latent.shape[1:]).clone()
        callback = self._callback(before, len(draws) / total)
        with torch.random.fork_rng(devices=[]):  # some samplers seed torch's own generator
            samples = task.guider.sample(
                torch.cat(noises),
                latents,
                self.sampler,
                self.sigmas,
                denoise_mask=task.mask,
                callback=callback,
                disable_pbar=True,
                seed=seeds[0],
            )
        return self._decode(samples)

    def _callback(self, before: float, share: float) -> Callable[[int, Tensor, Tensor, int], None] | None:
        report = self.report
        if report is None:
            return None
        patcher = self.guider.model_patcher
        previewer = latent_preview.get_previewer(patcher.load_device, patcher.model.latent_format)

        def callback(step: int, denoised: Tensor, _: Tensor, steps: int) -> None:
            seen = previewer.decode_latent_to_preview_image("JPEG", denoised) if previewer else None
            report(before + share * (step + 1) / steps, seen)

        return callback

    def _decode(self, latents: Tensor) -> Tensor:
        """Latents as pictures, N x 3 x h x w, float32 on the CPU."""
        pixels = self.vae.decode(latents.to(comfy.model_management.intermediate_device()))
        pixels = pixels.reshape(-1, *pixels.shape[-3:])[..., :3]  # video VAEs give one frame each
        return pixels.movedim(-1, 1).float().cpu()

    def _encode(self, image: Tensor) -> Tensor:
        """3 x h x w as a latent of one, float32 on the CPU."""
        return self.vae.encode(image.movedim(0, -1)[None]).float().cpu()


@dataclass(frozen=True)
class Task:
    """What the paintings of one request share.

    Attributes:
        guider: told about mask and masked photo where the model takes them.
        latent: 1 x C x ..., of the photo with the hole filled.
        mask: 1 x 1 x h x w of the latent, where it may change; None where everywhere.
    """

    guider: comfy.samplers.CFGGuider
    latent: Tensor
    mask: Tensor | None


def listens_to_mask(model: BaseModel, latent: Tensor) -> bool:
    """Whether a model takes the mask as extra channels: whether they differ for a full and an empty mask."""
    given = {"noise": torch.zeros_like(latent), "device": latent.device, "concat_latent_image": latent}
    empty, full = (
        model.concat_cond(concat_mask=torch.full((1, 1, *latent.shape[-2:]), level), **given) for level in (0.0, 1.0)
    )
    return empty is not None and not torch.equal(empty, full)


def native_size(model: BaseModel) -> int:
    """The longer side in pixels a model paints best at."""
    small = comfy.supported_models.SD15, comfy.supported_models.SD20
    return 512 if isinstance(model.model_config, small) else 1024

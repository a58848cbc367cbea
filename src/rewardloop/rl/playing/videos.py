"""Frames of an episode as an animated GIF. The only file that imports Pillow."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.error import Error as GymnasiumError
from PIL import Image

from rewardloop.errors import InvalidInput
from rewardloop.rl.environments import Env

_MAX_FRAMES = 1_000
_MS = 40


class Camera:
    """Takes a picture at every call, of an environment made with `render=True`."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self.frames: list[np.ndarray[Any, Any]] = []

    def __call__(self, _: object) -> None:
        if len(self.frames) < _MAX_FRAMES:
            frame = self._frame()
            if not isinstance(frame, np.ndarray):
                raise InvalidInput("Expected an environment that renders pictures (render_mode rgb_array), got none", at="--video")
            self.frames.append(frame)

    def _frame(self) -> object:
        try:
            picture: object = self._env.render()
        except (GymnasiumError, ImportError) as error:
            raise InvalidInput(f"The environment cannot be filmed: {error}", at="--video") from None
        return picture


def to_gif(frames: Sequence[np.ndarray[Any, Any]]) -> bytes:
    """25 pictures a second, at most 1,000."""
    pictures = [Image.fromarray(frame.astype(np.uint8)) for frame in frames]
    content = io.BytesIO()
    pictures[0].save(content, "GIF", save_all=True, append_images=pictures[1:], duration=_MS, loop=0)
    return content.getvalue()

"""MP4: pictures go to ffmpeg through a pipe, one by one, while the next is drawn."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import numpy as np

from optiscope.errors import MissingDependency
from optiscope.rendering.film.stage import Picture

_PATIENCE = 60.0
"""Seconds that ffmpeg may take to finish the file after the last picture."""


def ffmpeg() -> str:
    """The ffmpeg program. Raises `MissingDependency` when it is not there."""
    try:
        from imageio_ffmpeg import get_ffmpeg_exe
    except ImportError:
        raise MissingDependency.of("imageio-ffmpeg", purpose="A film as .mp4", extra="film") from None
    program: str = get_ffmpeg_exe()
    return program


class Mp4:
    """A film that is being written. Pictures are of one size, with even sides."""

    def __init__(self, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        self._process = process
        self._errors = errors

    def add(self, picture: Picture, times: int) -> None:
        """Show a picture for so many frames."""
        assert self._process.stdin is not None
        data = np.ascontiguousarray(picture).reshape(-1).data
        try:
            for _ in range(times):
                written = 0
                while written < len(data):
                    written += self._process.stdin.write(data[written:]) or 0
        except BrokenPipeError:
            raise self._failure() from None

    def finish(self) -> None:
        """Write the end of the file."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            raise self._failure() from None
        if self._process.wait(_PATIENCE) != 0:
            raise self._failure()

    def _failure(self) -> OSError:
        self._process.wait(_PATIENCE)
        self._errors.seek(0)
        said = "; ".join(self._errors.read().decode(errors="replace").split("\n")[:3]).strip("; ")
        return OSError(
            f"ffmpeg could not write the film (exit status {self._process.returncode}): {said or 'it did not say why'}."
        )


@contextmanager
def mp4(place: Path, *, width: int, height: int, fps: float) -> Iterator[Mp4]:
    """Write an H.264 film (yuv420p, which every player knows) to `place`. Nothing keeps running after the block."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            _command(ffmpeg(), place, width=width, height=height, fps=fps),
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors,
            # What is written goes to ffmpeg at once: nothing waits in a buffer when it has died.
            bufsize=0,
            # Ctrl-C in a terminal reaches the whole group: ffmpeg must not die before we have decided what to do.
            start_new_session=True,
        )  # fmt: skip
        try:
            film = Mp4(process, errors)
            yield film
            film.finish()
        finally:
            if process.poll() is None:
                process.kill()
            if process.stdin is not None and not process.stdin.closed:
                with suppress(BrokenPipeError):
                    process.stdin.close()
            process.wait()


def _command(program: str, place: Path, *, width: int, height: int, fps: float) -> list[str]:
    to_yuv = "scale=in_range=pc:out_range=tv:out_color_matrix=bt709:flags=accurate_rnd+full_chroma_int,format=yuv420p"
    colours = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]
    return [
        program, "-y", "-hide_banner", "-loglevel", "error", "-nostdin",
        "-f", "rawvideo", "-pixel_format", "rgba", "-video_size", f"{width}x{height}", "-framerate", f"{fps:g}",
        "-i", "pipe:0", "-an",
        "-vf", to_yuv,
        "-c:v", "libx264", "-preset", "veryfast", "-tune", "animation", "-crf", "17", *colours,
        # The same figure gives the same bytes: no encoder version, no time of day.
        "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact",
        "-movflags", "+faststart", "-f", "mp4", str(place),
    ]  # fmt: skip

"""What a run does not have any more, or never got, said in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass

from optiscope.runs.wording import counted


@dataclass(frozen=True, kw_only=True)
class Losses:
    """What is missing from a run. A run without losses is falsy."""

    is_crashed: bool = False
    """The writer ended without closing the run (kill, power cut): what it had not written yet is missing, at most its
    flush interval, one second by default."""
    torn_segments: tuple[str, ...] = ()
    """Files with a torn tail: their writer was killed, or something else was appended. The rest was read."""
    bytes_lost: int = 0
    """Bytes of torn tails and unreadable files."""
    unreadable: tuple[str, ...] = ()
    """Files of which nothing could be read, each with the reason: "series/metrics-0.arrows: it is empty"."""
    rows_dropped: int = 0
    """Rows that the writer could not write (disk full, folder gone, disk too slow)."""
    faults: int = 0
    """Values, measurements and files that the writer could not record."""

    def __bool__(self) -> bool:
        return bool(self.is_crashed or self.torn_segments or self.unreadable or self.rows_dropped or self.faults)

    def sentences(self) -> tuple[str, ...]:
        """The losses for people, one sentence each; empty when there are none."""
        said = []
        if self.is_crashed:
            said.append("The run was not closed, as after a kill: what was recorded in its last second may be missing.")
        if self.torn_segments:
            files = "1 file ends" if len(self.torn_segments) == 1 else f"{len(self.torn_segments)} files end"
            said.append(
                f"{files} in the middle of a record, as after a kill ({', '.join(self.torn_segments)}); "
                "all complete records before that were read."
            )
        said += [f"{fault[:1].upper()}{fault[1:]}." for fault in (each.rstrip(".") for each in self.unreadable)]
        if self.bytes_lost:
            said.append(f"{counted(self.bytes_lost, 'byte')} could not be read.")
        if self.rows_dropped:
            said.append(f"{counted(self.rows_dropped, 'row')} could not be written while the run was recorded.")
        if self.faults:
            said.append(f"{counted(self.faults, 'fault')} while the run was recorded: some values are missing.")
        return tuple(said)

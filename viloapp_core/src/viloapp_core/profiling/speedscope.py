"""A profile as speedscope reads it, a viewer in the browser that opens a file without sending it anywhere.

Source: https://www.speedscope.app/file-format-schema.json
"""

import json
import re

from viloapp_core.profiling.profile import Profile

__all__ = ["speedscope"]

_PLACED = re.compile(r"(?P<name>.*) \((?P<file>.*):(?P<line>\d{1,9})\)")


def speedscope(profile: Profile) -> str:
    """Return the profile as a JSON document: stacks with their weights in seconds, the heaviest first."""
    numbers: dict[str, int] = {}
    rows = sorted(profile.stacks.items(), key=lambda each: -each[1])
    samples = [[numbers.setdefault(name, len(numbers)) for name in stack] for stack, _ in rows]
    weights = [seen / profile.rate for _, seen in rows]
    shown = f"{profile.plugin_id}, {profile.seconds:g} s with {profile.sampler}"
    value = {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "name": shown,
        "exporter": "viloapp",
        "activeProfileIndex": 0,
        "shared": {"frames": [_frame(name) for name in numbers]},
        "profiles": [
            {
                "type": "sampled",
                "name": shown,
                "unit": "seconds",
                "startValue": 0,
                "endValue": sum(weights),
                "samples": samples,
                "weights": weights,
            }
        ],
    }
    return json.dumps(value)


def _frame(name: str) -> dict[str, str | int]:
    found = _PLACED.fullmatch(name)
    if found is None:
        return {"name": name}
    return {"name": found["name"], "file": found["file"], "line": int(found["line"])}

"""What a card says of the mechanisms behind a picture: how much the answer depends on each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

_VERDICTS = {
    "works": "it matters",
    "weak": "it hardly matters",
    "idle": "nothing depends on it",
}


def concerned(rows: Iterable[Mapping[str, Any]], paths: Iterable[str] | None = None) -> list[Mapping[str, Any]]:
    """The rows of a card's ``mechanisms`` whose taps are among ``paths``; all of them for None."""
    if paths is None:
        return list(rows)
    known = tuple(paths)
    return [row for row in rows if any(fnmatchcase(path, row["tap"]) for path in known)]


def sentence(row: Mapping[str, Any]) -> str:
    """One mechanism in words: what was done to it on how many faces, and what came of that."""
    name = row["name"]
    if row["idle"]:
        return f"{name}: idle by construction. {row['idle']}"
    edit = next((edit for edit in ("scrambled", "frozen", "removed") if row["costs"].get(edit)), None)
    if edit is None:
        return f"{name}: not measured."
    under = row["costs"][edit]
    worst = max(under, key=lambda c: under[c]["moved"] if row["answer"] == "pose" else under[c]["points"])
    what = {"scrambled": "swapping it between faces", "frozen": "freezing it to its mean", "removed": "removing it"}
    verb = _VERDICTS[row["verdict"]]
    if row["answer"] == "pose":
        return f"{name}: {verb}. {_upper(what[edit])} turns the pose by {under[worst]['moved']:.1f}° on average."
    plain = under.get("plain", under[worst])
    said = (
        f"{name}: {verb}. {_upper(what[edit])} moves landmarks by {plain['pixels']:.2f} px of the crop "
        f"({plain['moved']:.2f} % of the eyes' distance) on average and changes the error by {_points(plain)}"
    )
    if worst != "plain" and under[worst]["points"] > plain["points"] + 0.01:
        said += f", under a {worst} by {_points(under[worst])}"
    return said + "."


def _points(cost: Mapping[str, float]) -> str:
    return f"{cost['points']:+.2f} points of NME"


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def summary(rows: Sequence[Mapping[str, Any]]) -> str:
    """The mechanisms by their verdicts, in a few words."""
    said = []
    for verdict in _VERDICTS:
        names = [row["name"] for row in rows if row["verdict"] == verdict]
        if names:
            said.append(f"{verdict}: {', '.join(names)}")
    return "; ".join(said)

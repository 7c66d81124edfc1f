"""One HTML page about a run, which works from a disk without any network."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import DataError
from workbench.evaluation import papers, statistics
from workbench.evaluation.run import Run
from workbench.explain import calibration
from workbench.figures import palette
from workbench.figures import run as draw
from workbench.landmarks.metrics import ced
from workbench.models.card import ModelCard

SHOWN = 6
"""Best and worst faces."""
STYLE = f"""
:root {{ color-scheme: light; }}
body {{ margin: 0 auto; max-width: 1060px; padding: 2rem 1.2rem 4rem; background: {palette.PAPER};
 color: {palette.INK}; font: 15px/1.55 system-ui, sans-serif; }}
h1 {{ font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }}
h2 {{ font-size: 1.12rem; margin: 2.4rem 0 .5rem; border-top: 1px solid {palette.FAINT}; padding-top: 1.2rem; }}
p, li, figcaption {{ max-width: 46rem; color: {palette.MUTED}; }}
.big {{ display: flex; flex-wrap: wrap; gap: 2.2rem; margin: 1.2rem 0; }}
.big b {{ display: block; font-size: 1.9rem; font-weight: 600; color: {palette.INK};
 font-variant-numeric: tabular-nums; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }}
th, td {{ padding: .25rem .9rem .25rem 0; text-align: left; border-bottom: 1px solid {palette.FAINT};
 white-space: nowrap; }}
th {{ color: {palette.MUTED}; font-weight: 500; }}
td.n, th.n {{ text-align: right; }}
tr.own td {{ font-weight: 650; }}
.faces {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 14px; }}
figure {{ margin: 0; }}
svg {{ max-width: 100%; height: auto; }}
figcaption {{ font-size: .82rem; overflow-wrap: anywhere; }}
.two {{ display: flex; flex-wrap: wrap; gap: 2rem; align-items: flex-start; }}
details {{ margin: .6rem 0; }}
"""


def html_report(
    run: Run, card: ModelCard | None = None, other: Run | None = None, compared: statistics.Rows | None = None,
    photographs: bool = False,
) -> str:  # fmt: skip
    """The page.

    Args:
        run: what was measured.
        card: the model's, for what it says of mechanisms.
        other, compared: another run over the same faces and ``statistics.compare`` of the two.
        photographs: draw faces over their small pictures, which the run must keep; without it the page holds none.

    Raises:
        DataError: photographs are asked for and the run keeps no pictures.
    """
    if photographs and not run.pictures:
        raise DataError("The run keeps no pictures; measure with --thumbnails to have photographs in the report.")
    title = f"{run.model} on {run.meta['data']} {run.part()}"
    sections = [
        _head(run, title), _ced(run, other), _printed(run), _tables(run), _compared(compared, run, other),
        _faces(run, photographs), _landmarks(run), _calibration(run), _mechanisms(card), _speed(run), _left_out(run),
    ]  # fmt: skip
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{_safe(title)}</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(sections)
        + "\n</body></html>\n"
    )


def save_report(path: Path, page: str) -> Path:
    """Write the page. Raises DataError."""
    if path.suffix.lower() not in (".html", ".htm") or not path.parent.is_dir():
        raise DataError(f"A report is written as .html into a folder that is there, not to {path}.")
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} could not be written: {(error.strerror or str(error)).lower()}.") from None
    return path


def _head(run: Run, title: str) -> str:
    d = run.to_dict()
    at = f"{d['threshold']:.2f}"
    numbers = (
        (f"{d['nme_percent']:.2f} %", f"NME {str(d['normaliser']).replace('_', '-')}"),
        (f"{d['failure_rate_percent']:.2f} %", f"failures above {at}"),
        (f"{d['auc']:.3f}", f"AUC to {at}"),
        (f"{d['faces']}", f"faces, {d['left_out']} left out"),
    )
    labels = "the set's own labels" if d["labels"] == "own" else f"machine-made labels {d['labels']}"
    crop = f"crop: {run.meta['factor']} times the longer side of the true landmarks' box"
    weights = str(run.meta["checkpoint"])[:8] or "unsaved"
    big = "".join(f"<div><b>{value}</b>{_safe(words)}</div>" for value, words in numbers)
    return (
        f"<h1>{_safe(title)}</h1><p>{_safe(labels)}; {run.scheme.count} landmarks ({run.scheme.name}); {crop}; "
        f'weights {weights}.</p><div class="big">{big}</div>'
    )


def _ced(run: Run, other: Run | None) -> str:
    at = float(run.meta["threshold"])
    many = [r for r in (run, other) if r is not None]
    series = [(r.model, 100 * x, 100 * y) for r in many for x, y in [ced(r.nme, at)]]
    drawn = draw.chart(
        series, "error of a face, % of the normaliser", "faces with at most that error, %", (100 * at, 100)
    )
    return f"<h2>Cumulative error distribution</h2><figure>{drawn}</figure>"


def _printed(run: Run) -> str:
    rows = papers.beside(run)
    dataset, subset = papers.place_of(run)
    said = "".join(f"<li>{_safe(line)}</li>" for line in papers.differences(run))
    body: list[dict[str, Any]] = [
        {
            "system": one.system,
            "variant": one.variant,
            "NME %": f"{one.value:.2f}",
            "source": f"{one.paper}, {one.table}",
        }
        for one in rows
    ]
    own = {"system": run.model, "variant": "this run", "NME %": f"{100 * float(run.nme.mean()):.2f}", "source": ""}
    words = f"{dataset} {subset}" if rows else "no table"
    return (
        f"<h2>Beside the papers</h2><p>Printed for {_safe(words)}. The numbers cannot be compared without this:</p>"
        f"<ul>{said}</ul>{_table([own, *body], own=0)}"
    )


def _tables(run: Run) -> str:
    out = []
    for name, rows in statistics.tables(run).items():
        if name != "landmarks":
            out.append(f"<h2>{statistics.TABLES[name][0]}</h2>{_note(name)}{_table(rows)}")
    return "".join(out)


def _note(name: str) -> str:
    """What a table's numbers are, where a word may mislead."""
    notes = {
        "confidence": "Crops come from the true landmarks: this is no tracking, it asks whether a face would be kept.",
        "visibility": "SQDU is sqrt(det Σ), the product of both deviations, in squared pixels of a crop of 256.",
        "normalisers": "NRMSE is AODN's Eq. 15; values that papers print under that name are of the size of the NME.",
        "subsets": "Subsets are the set's own; a face may belong to several.",
    }
    return f"<p>{notes[name]}</p>" if name in notes else ""


def _compared(rows: statistics.Rows | None, run: Run, other: Run | None) -> str:
    if not rows or other is None:
        return ""
    return (
        f"<h2>{_safe(run.model)} (a) against {_safe(other.model)} (b)</h2><p>Differences a - b over the same faces, "
        f"NME and FR in points of per cent; intervals: 95 % of {statistics.RESAMPLES} paired resamples of faces.</p>"
        f"{_table(rows)}"
    )


def _faces(run: Run, photographs: bool) -> str:
    order = np.argsort(-run.nme, kind="stable")
    many = min(SHOWN, len(order))
    what = "over the photographs" if photographs else "as points; the page holds no photograph"
    out = [f"<h2>Worst and best faces</h2><p>Lines: labels. Dots: answers, joined to their label. Drawn {what}.</p>"]
    for words, chosen in (("Worst", order[:many]), ("Best", order[::-1][:many])):
        tiles = []
        for i in chosen.tolist():
            name = f"{run.files[i]}: {100 * run.nme[i]:.2f} %"
            picture = ""
            if photographs:
                picture = "data:image/jpeg;base64," + base64.b64encode(run.thumbs([i])[0]).decode()
            drawn = draw.face(run.arrays["truth"][i], run.arrays["points"][i], run.scheme, name, picture)
            tiles.append(f"<figure>{drawn}<figcaption>{_safe(name)}</figcaption></figure>")
        out.append(f'<p>{words}</p><div class="faces">{"".join(tiles)}</div>')
    return "".join(out)


def _landmarks(run: Run) -> str:
    rows = statistics.by_landmark(run)
    known = np.isfinite(run.arrays["truth"])
    mean = np.where(known, run.arrays["truth"], 0).sum(0) / np.maximum(known.sum(0), 1)
    drawn = draw.mean_face(np.where(known.any(0), mean, np.nan), np.array([r["error %"] for r in rows]), run.scheme)
    worst = sorted((r for r in rows if r["faces"]), key=lambda r: -r["error %"])[:10]
    return (
        "<h2>Error by landmark</h2><p>On the mean of the labels; a disc's area and colour are its landmark's mean "
        f'error, in per cent of the normaliser.</p><div class="two"><figure>{drawn}</figure>'
        f"<div>{_table(worst)}</div></div>"
        f"<details><summary>All {len(rows)} landmarks</summary>{_table(rows)}</details>"
    )


def _calibration(run: Run) -> str:
    sigma = run.arrays.get("sigma")
    if sigma is None:
        return ""
    law = str(run.meta.get("likelihood") or "gaussian")
    found = calibration(run.arrays["points"] - run.arrays["truth"], sigma, likelihood=law)
    ends = np.array([0.0, 1.0])
    series = [
        ("sigma as predicted", np.concatenate([[0], found.expected]), np.concatenate([[0], found.observed])),
        ("as promised", ends, ends),
    ]
    drawn = draw.chart(series, "promised share of errors", "found share", (1, 1), (360, 300))
    said = f"Last stage, each axis; {found.caption}."
    return f"<h2>Whether sigma keeps its promise</h2><p>{_safe(said)}</p><figure>{drawn}</figure>"


def _mechanisms(card: ModelCard | None) -> str:
    if card is None or not card.mechanisms:
        return ""
    rows = []
    for one in card.mechanisms:
        costs = {
            edit: "-" if not under else f"{max(cost['points'] for cost in under.values()):+.2f}"
            for edit, under in ((e, one["costs"].get(e)) for e in ("frozen", "scrambled", "removed"))
        }
        if one["answer"] == "pose":
            costs = dict.fromkeys(costs, "-")
        rows.append({"mechanism": one["name"], "paper": one["equation"], **costs, "verdict": one["verdict"]})
    first = card.mechanisms[0]
    return (
        f"<h2>What its mechanisms do</h2><p>From the model's card, measured on {_safe(str(first['data']))} "
        f"{_safe(str(first['split']))} ({first['faces']} faces), not on this run: points of NME that each edit costs "
        f"at most, faces plain or under rectangles.</p>{_table(rows)}"
    )


def _speed(run: Run) -> str:
    seconds = run.meta["seconds"]
    rows = [
        {"step": words, "seconds of work": seconds[name], "images a second": round(len(run) / seconds[name], 1)}
        for name, words in (
            ("loading", "loading"),
            ("model", "model"),
            ("metrics", "metrics"),
            ("wall", "all, by the clock"),
        )
        if seconds.get(name)
    ]
    where = f"{run.meta['device']}, {run.meta['threads']} batches at a time, {run.meta['processes']} process(es)"
    return f"<h2>Speed</h2><p>{_safe(where)}; work is summed over threads.</p>{_table(rows)}"


def _left_out(run: Run) -> str:
    if not run.left_out:
        return "<h2>Left out</h2><p>Nothing: every face of the part was measured.</p>"
    lines = "".join(f"<li>{_safe(line)}</li>" for line in run.left_out)
    return f"<h2>Left out</h2><details><summary>{len(run.left_out)} faces</summary><ul>{lines}</ul></details>"


def _table(rows: Iterable[dict[str, Any]], own: int | None = None) -> str:
    many = list(rows)
    heads = list(dict.fromkeys(name for row in many for name in row))
    numeric = {h for h in heads if all(isinstance(r.get(h, 0), (int, float)) for r in many)}

    def cell(row: dict[str, Any], head: str) -> str:
        value = row.get(head, "")
        text = f"{value:.4g}" if isinstance(value, float) else str(value)
        return f"<td{' class=n' if head in numeric else ''}>{_safe(text)}</td>"

    top = "".join(f"<th{' class=n' if h in numeric else ''}>{_safe(h)}</th>" for h in heads)
    body = "".join(
        f"<tr{' class=own' if i == own else ''}>{''.join(cell(row, h) for h in heads)}</tr>"
        for i, row in enumerate(many)
    )
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _safe(words: str) -> str:
    return html.escape(words, quote=True)

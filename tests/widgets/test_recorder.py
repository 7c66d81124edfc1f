"""What is drawn on the recorder comes out as SVG; a sheet has title, panels and caption in their places."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.widgets.javascript import run
from workbench.figures import style

SVG = "{http://www.w3.org/2000/svg}"
PEN = """const measure = (text) => ({ width: 6 * text.length });
  const href = (image, photograph) => `data:${image.name},${photograph}`;
  const ctx = new Recorder(200, 100, { measure, href });
"""


def drawn(tmp_path: Path, body: str) -> ET.Element:
    """The document that ``body`` draws on ``ctx``."""
    return ET.fromstring(run(tmp_path, "recorder", f"{PEN}{body}\nreturn ctx.toSVG('A < B');"))


def test_the_document_has_size_and_title(tmp_path: Path) -> None:
    root = drawn(tmp_path, "")
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("200", "100", "0 0 200 100")
    assert root.findtext(f"{SVG}title") == "A < B"


def test_paths_have_colour_opacity_and_dashes(tmp_path: Path) -> None:
    root = drawn(
        tmp_path,
        """ctx.strokeStyle = "rgb(10 20 30 / .5)"; ctx.globalAlpha = 0.5; ctx.lineWidth = 3; ctx.setLineDash([2, 4]);
        ctx.beginPath(); ctx.moveTo(1, 2); ctx.lineTo(3, 4); ctx.quadraticCurveTo(5, 6, 7, 8); ctx.stroke();
        ctx.fillStyle = "#11223380"; ctx.setLineDash([]); ctx.globalAlpha = 1; ctx.fillRect(0, 0, 10, 20);""",
    )
    line, box = root.iter(f"{SVG}path")
    assert line.get("d") == "M1 2L3 4Q5 6 7 8"
    assert (line.get("stroke"), line.get("stroke-opacity"), line.get("fill")) == ("rgb(10,20,30)", "0.25", "none")
    assert (line.get("stroke-width"), line.get("stroke-dasharray")) == ("3", "2 4")
    assert (box.get("fill"), box.get("fill-opacity"), box.get("d")) == ("#112233", "0.502", "M0 0L10 0L10 20L0 20Z")


def test_transforms_reach_points_widths_and_texts_and_are_restored(tmp_path: Path) -> None:
    root = drawn(
        tmp_path,
        """ctx.save(); ctx.translate(10, 20); ctx.scale(2, 2); ctx.strokeRect(1, 1, 2, 2); ctx.restore();
        ctx.save(); ctx.translate(50, 50); ctx.rotate(-Math.PI / 2); ctx.fillText("up", 0, 0); ctx.restore();
        ctx.strokeRect(1, 1, 2, 2);""",
    )
    scaled, plain = root.iter(f"{SVG}path")
    assert (scaled.get("d"), scaled.get("stroke-width")) == ("M12 22L16 22L16 26L12 26Z", "2")
    assert (plain.get("d"), plain.get("stroke-width")) == ("M1 1L3 1L3 3L1 3Z", "1")
    text = root.find(f".//{SVG}text")
    assert text is not None
    assert text.get("transform") == "matrix(0 -1 1 0 50 50)"


def test_circles_are_whole_and_arcs_begin_where_they_should(tmp_path: Path) -> None:
    root = drawn(
        tmp_path,
        """ctx.beginPath(); ctx.arc(50, 50, 10, 0, 7); ctx.fill();
        ctx.beginPath(); ctx.ellipse(50, 50, 20, 10, 0, 0, Math.PI); ctx.stroke();""",
    )
    circle, half = (path.get("d") or "" for path in root.iter(f"{SVG}path"))
    assert circle == "M60 50A10 10 0 0 1 40 50A10 10 0 0 1 60 50Z"
    assert half == "M70 50A20 10 0 0 1 50 60A20 10 0 0 1 30 50"


def test_clips_hold_what_follows_and_nest(tmp_path: Path) -> None:
    root = drawn(
        tmp_path,
        """ctx.save(); ctx.beginPath(); ctx.rect(0, 0, 50, 50); ctx.clip();
        ctx.save(); ctx.beginPath(); ctx.rect(20, 20, 50, 50); ctx.clip(); ctx.fillRect(0, 0, 9, 9); ctx.restore();
        ctx.fillRect(1, 1, 9, 9); ctx.restore(); ctx.fillRect(2, 2, 9, 9);""",
    )
    outer, inner = root.iter(f"{SVG}clipPath")
    assert inner.get("clip-path") == f"url(#{outer.get('id')})"
    groups = [(g.get("clip-path"), g[0].get("d", "")[:4]) for g in root.iter(f"{SVG}g")]
    assert groups == [(f"url(#{inner.get('id')})", "M0 0"), (f"url(#{outer.get('id')})", "M1 1"), (None, "M2 2")]


def test_texts_keep_font_anchor_and_width(tmp_path: Path) -> None:
    root = drawn(
        tmp_path,
        """ctx.font = "600 12px system-ui"; ctx.textAlign = "center"; ctx.textBaseline = "top";
        ctx.fillText("a < b", 50, 10); ctx.font = "10px Arial"; ctx.textAlign = "left";
        ctx.textBaseline = "alphabetic"; ctx.fillText("twelve chars", 0, 5, 30); ctx.fillText("", 0, 0);""",
    )
    first, second = root.iter(f"{SVG}text")
    assert (first.text, first.get("font-weight"), first.get("text-anchor")) == ("a < b", "600", "middle")
    assert (first.get("font-size"), first.get("y")) == ("12", "19.6")  # the letters' foot below the line at their top
    assert (second.get("textLength"), second.get("y"), second.get("font-family")) == ("30", "5", "Arial, sans-serif")


def test_values_stay_crisp_and_photographs_are_told_apart(tmp_path: Path) -> None:
    root = drawn(
        tmp_path,
        """const map = { name: "map", width: 4, height: 2 }, photo = { name: "photo", width: 9, height: 9 };
        ctx.imageSmoothingEnabled = false; ctx.globalAlpha = 0.5; ctx.drawImage(map, 1, 2, 30, 40);
        ctx.imageSmoothingEnabled = true; ctx.globalAlpha = 1; ctx.drawImage(photo, 0, 0);
        ctx.fillStyle = ctx.createPattern(map, "repeat"); ctx.fillRect(0, 0, 5, 5);""",
    )
    pattern = root.find(f".//{SVG}pattern")
    group = root.find(f"{SVG}g")
    assert pattern is not None
    assert group is not None
    crisp, smooth = group.iter(f"{SVG}image")
    assert crisp.attrib == {
        "x": "1", "y": "2", "width": "30", "height": "40", "preserveAspectRatio": "none",
        "href": "data:map,false", "style": "image-rendering:pixelated", "opacity": "0.5",
    }  # fmt: skip
    assert (smooth.get("href"), smooth.get("width"), smooth.get("style")) == ("data:photo,true", "9", None)
    assert group[-1].get("fill") == f"url(#{pattern.get('id')})"


@pytest.mark.parametrize("title", ["", "A face"])
def test_a_sheet_puts_panels_side_by_side_and_the_caption_below(tmp_path: Path, title: str) -> None:
    plan = run(
        tmp_path,
        "sheet",
        """const panels = [{ w: 640, h: 690 }, { w: 480, h: 300 }];
        return layout({ title: input.title, panels, caption: ["x ".repeat(150).trim(), "end"] }, input.drawing,
          (text) => 8 * text.length);""",
        title=title,
        drawing=style.drawing(),
    )
    top = style.MARGIN + (style.TITLE + 14 if title else 0)
    assert plan["places"] == [{"x": style.MARGIN, "y": top}, {"x": style.MARGIN + 640 + style.GAP, "y": top}]
    assert plan["w"] == 640 + style.GAP + 480 + 2 * style.MARGIN
    assert all(8 * len(line) <= plan["w"] - 2 * style.MARGIN for line in plan["lines"])
    assert len(plan["lines"]) == 4
    assert plan["h"] > top + 690 + 4 * style.LINE


def test_a_line_bends_to_the_left_and_its_width_is_linear(tmp_path: Path) -> None:
    root = ET.fromstring(
        run(
            tmp_path,
            "relations_drawing",
            f"""const {{ Recorder }} = await import(input.recorder);
            {PEN}
            drawArrow(ctx, [0, 50], [100, 50], {{ colour: "#fff", bend: input.drawing.bend }});
            const map = {{ css: (t) => `c${{t}}` }};
            ctx.fillText(JSON.stringify([0, 0.05, 0.2, 0.4].map((w) => weightLook(input.drawing, map, w, 0.4))), 0, 0);
            return ctx.toSVG("");""",
            drawing=style.drawing(),
            recorder=(Path(__file__).parents[2] / "workbench/widgets/recorder.js").as_uri(),
        )
    )
    path = root.find(f".//{SVG}path")
    text = root.find(f".//{SVG}text")
    assert path is not None
    assert text is not None
    assert path.get("d") == "M0 50Q50 40 100 50"  # walking to the right with y down, left is up
    widths = [style.line_width(w, 0.4) for w in (0, 0.05, 0.2, 0.4)]
    assert widths == [0.7, 0.875, 3.5, 7.0]
    assert [f'"width":{w:g}' in (text.text or "") for w in widths] == [True] * 4

/* uncertainty.js: how sure a model is of each landmark, where its patches lie and how it came there, with an occluder
to drag over the face. Needs rect.js and spread.js. State "selection" (uncertainty.py: DEFAULTS) and "occluder": {x, y, w, h, fill}
or {}; while an occluder moves, Python gets it at a pace that it can answer, and the last picture stays until then. */

import { drawDots, drawLines, drawPhoto, drawTag } from "./draw.js";
import { between, fitFace, nearestPoint, stepPoint } from "./geometry.js";
import { csv, number, ticks } from "./numbers.js";
import { animate, button, el, frame, segmented, slider, spacer, theme, toggle, tooltip } from "./page.js";
import { moveRect, pacer, rectEditor } from "./rect.js";
import { saveFile, saveSheet } from "./save.js";
import { loadImage, surface } from "./surface.js";
import {
  barOrder,
  coveredBy,
  effectOf,
  ellipseOf,
  lookOf,
  niceTop,
  occluderRect,
  positionsAt,
  sameOccluder,
  sampleLine,
  sigmaAt,
  sizeRule,
  spread,
  stageOf,
  stepOf,
  UNCERTAINTY_STYLE,
  uncertaintyCaption,
} from "./uncertainty_numbers.js";

export default function mount(host) {
  const page = frame(host, "Uncertainty of the landmarks", UNCERTAINTY_STYLE);
  const tip = tooltip(page);
  let meta;
  let s;
  let given;
  let givenO;
  let o = null;
  let photo = null;
  let cover = null;
  let coverFor = null;
  let hover = null;
  let t = 0;
  let playing = null;
  let shown = { points: [], bars: [], ghost: [], rank: [], top: 1 };
  let stopMotion = () => {};
  let parts = {};

  const step = () => Math.round(t);
  const steps = () => meta.path.length - 1;
  const at = () => stageOf(meta.shape[1], step());
  const focus = () => hover ?? s.landmark;
  const others = (faint, quiet) => (focus() == null ? 1 : hover == null ? quiet : faint); // pinned: the rest stays readable
  const unit = () =>
    s.unit === "ocular" && meta.ocular
      ? { scale: 100 / meta.ocular, text: "% of the inter-ocular distance", short: "%" }
      : { scale: meta.size, text: `pixels of the ${meta.size} px crop`, short: " px" };
  const sigmas = () => {
    const here = at();
    return here ? sigmaAt(meta, ...here) : null;
  };
  const spreads = () => {
    const u = unit().scale;
    return (sigmas() || meta.path[0].map(() => [0, 0])).map((v) => u * spread(v));
  };
  const before = () => {
    const here = at();
    const u = unit().scale;
    return meta.baseline && here ? meta.baseline.sigma[here[0]][here[1]].map((v) => u * spread(v)) : null;
  };

  function read() {
    meta = host.meta;
    loadImage(host.bytes("photo"), (bitmap) => {
      photo = bitmap;
      face.paint();
    });
    const now = meta.occluder;
    if (now)
      loadImage(host.bytes("cover"), (bitmap) => {
        cover = bitmap;
        coverFor = now;
        face.paint();
      });
    else cover = coverFor = null;
  }
  function adopt() {
    if (host.get("selection") !== given) {
      given = host.get("selection");
      s = { ...given };
      t = stepOf(meta.shape[1], s.stage, s.layer);
    }
    t = Math.min(t, steps());
    const next = host.get("occluder");
    if (next === givenO || box.busy) return;
    givenO = next;
    o = next?.w ? { ...next } : null;
  }
  const commit = () => {
    given = { ...s };
    host.set("selection", given);
  };
  const asked = () => !sameOccluder(givenO, meta.occluder); // Python was told of an occluder that is not in what it sent

  /* Face ---------------------------------------------------------------------------------------------- */

  function drawFace(ctx, w, h) {
    const view = fitFace(w, h);
    const f = focus();
    const scheme = meta.face;
    const here = at();
    const points = shown.points;
    drawPhoto(ctx, view, photo);
    drawOccluder(ctx, view);
    ctx.fillStyle = "rgb(12 12 16 / .3)";
    ctx.fillRect(0, 0, w, h);
    if (s.path) drawLines(ctx, view, meta.path[0], scheme, { alpha: 0.35, width: 1, colour: "#fff" });
    drawLines(ctx, view, points, scheme, { alpha: others(0.28, 0.4) * 0.5 + 0.1, width: 1 });
    if (s.patches) drawPatches(ctx, view, here ? here[0] : 0, f);
    if (s.path) drawPath(ctx, view, f);
    if (meta.baseline && here) drawShifts(ctx, view, meta.baseline.points[here[0]][here[1]]);
    if (s.ellipses && here) drawEllipses(ctx, view, sigmas(), f);
    drawDots(ctx, view, points, scheme, {
      radius: (i) => (i === f ? 4.4 : 1.9),
      alpha: (i) => (i === f ? 1 : others(0.5, 0.8)),
    });
    if (f == null) return;
    const [x, y] = view.px(points[f]);
    ctx.beginPath();
    ctx.arc(x, y, 4.4, 0, 7);
    ctx.lineWidth = 1.6;
    ctx.strokeStyle = "#fff";
    ctx.stroke();
    if (f === s.landmark && hover == null) {
      ctx.beginPath();
      ctx.arc(x, y, 8, 0, 7);
      ctx.lineWidth = 1.2;
      ctx.stroke();
    }
    drawTag(ctx, `${scheme.label[f]} · ${f}`, x, y, w, h);
  }
  function drawOccluder(ctx, view) {
    if (!o) return;
    const rect = (r) => {
      const [x0, y0] = view.px([r[0], r[1]]);
      const [x1, y1] = view.px([r[2], r[3]]);
      return [x0, y0, x1 - x0, y1 - y0];
    };
    const place = rect(occluderRect(o));
    const colour = meta.fills[o.fill];
    if (cover && sameOccluder(o, coverFor)) {
      ctx.drawImage(cover, ...rect(meta.covered));
      return;
    }
    if (colour) {
      ctx.fillStyle = `rgb(${colour.join(" ")})`;
      ctx.fillRect(...place);
      return;
    }
    if (cover && coverFor.fill === o.fill) {
      ctx.drawImage(cover, ...place);
      return;
    }
    ctx.save();
    ctx.fillStyle = ctx.createPattern(noise(), "repeat");
    ctx.translate(place[0], place[1]);
    ctx.fillRect(0, 0, place[2], place[3]);
    ctx.restore();
  }
  function noise() {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 128;
    const ctx = canvas.getContext("2d");
    const image = ctx.createImageData(128, 128);
    image.data.forEach((_, k) => {
      image.data[k] = k % 4 === 3 ? 255 : Math.floor(256 * Math.random());
    });
    ctx.putImageData(image, 0, 0);
    return canvas;
  }
  function drawShifts(ctx, view, from) {
    ctx.save();
    ctx.strokeStyle = "#fff";
    ctx.lineWidth = 1.4;
    ctx.lineCap = "round";
    shown.points.forEach((p, i) => {
      ctx.globalAlpha = others(0.3, 0.85) * 0.9;
      ctx.beginPath();
      ctx.moveTo(...view.px(from[i]));
      ctx.lineTo(...view.px(p));
      ctx.stroke();
    });
    ctx.restore();
  }
  function drawEllipses(ctx, view, sigma, f) {
    ctx.save();
    shown.points.forEach((p, i) => {
      const strength = i === f ? 1.25 : others(0.22, 0.5);
      ctx.fillStyle = ctx.strokeStyle = meta.face.colour[i];
      for (const k of [3, 2, 1]) {
        ctx.beginPath();
        ctx.ellipse(...ellipseOf(view, p, sigma[i], k), 0, 0, 7);
        ctx.globalAlpha = 0.1 * strength;
        ctx.fill();
        if (k === 1) {
          ctx.save();
          ctx.globalAlpha = 0.22 * strength;
          ctx.strokeStyle = "#fff";
          ctx.lineWidth = 2.4;
          ctx.stroke();
          ctx.restore();
        }
        ctx.globalAlpha = Math.min(1, [0, 0.95, 0.6, 0.35][k] * strength);
        ctx.lineWidth = k === 1 ? 1.3 : 0.9;
        ctx.stroke();
      }
    });
    ctx.restore();
  }
  function drawPatches(ctx, view, stage, f) {
    const one = (r, state, alpha) => {
      const look = lookOf(meta.looks, state);
      const [x, y] = view.px([r[0], r[1]]);
      ctx.globalAlpha = alpha;
      ctx.strokeStyle = look.colour;
      ctx.lineWidth = look.width;
      ctx.setLineDash(look.dash);
      ctx.strokeRect(x, y, r[2] * view.side, r[3] * view.side);
    };
    ctx.save();
    if (f == null)
      meta.rects[stage].forEach((r, i) =>
        one(r, meta.states[stage][i], meta.states[stage][i] === "first" ? 0.4 : 0.75),
      );
    else
      meta.rects.forEach((stageRects, k) => {
        one(stageRects[f], meta.states[k][f], 1);
        const [x, y] = view.px([stageRects[f][0], stageRects[f][1]]);
        ctx.fillStyle = lookOf(meta.looks, meta.states[k][f]).colour;
        ctx.font = "600 11px system-ui";
        ctx.textBaseline = "bottom";
        ctx.fillText(`${k + 1}`, x + 2, y - 1);
      });
    ctx.restore();
  }
  function drawPath(ctx, view, f) {
    const last = Math.floor(t);
    const layers = meta.shape[1];
    ctx.save();
    ctx.lineJoin = ctx.lineCap = "round";
    for (const i of shown.points.keys()) {
      ctx.globalAlpha = i === f ? 1 : others(0.2, 0.5) * 0.85;
      ctx.strokeStyle = meta.face.colour[i];
      ctx.lineWidth = i === f ? 2.2 : 1.2;
      ctx.beginPath();
      for (let k = 0; k <= last; k++) ctx[k ? "lineTo" : "moveTo"](...view.px(meta.path[k][i]));
      ctx.lineTo(...view.px(shown.points[i]));
      ctx.stroke();
      const [x, y] = view.px(meta.path[0][i]);
      ctx.beginPath();
      ctx.arc(x, y, i === f ? 3.4 : 1.6, 0, 7);
      ctx.lineWidth = 1;
      ctx.strokeStyle = "#fff";
      ctx.stroke();
    }
    if (f != null)
      for (let k = layers; k <= last; k += layers) {
        const [x, y] = view.px(meta.path[k][f]);
        ctx.globalAlpha = 1;
        ctx.beginPath();
        ctx.arc(x, y, 3, 0, 7);
        ctx.fillStyle = "#fff";
        ctx.fill();
      }
    ctx.restore();
  }

  /* Bars ---------------------------------------------------------------------------------------------- */

  const FOOT = 20;
  const GUTTER = 12;
  const BESIDE = 212; // BESIDE: what else stands in the bars' column
  /* Beside the face as tall as it leaves room for, below it as tall as is easy to touch. */
  function barsTall(w) {
    const n = meta.shape[2];
    const free = w > 0.6 * page.root.clientWidth ? 6.4 : between((1.4 * w - BESIDE - FOOT) / n, 3.4, 8);
    return Math.max(240, n * free) + FOOT;
  }
  const rowOf = (h) => (h - FOOT) / meta.shape[2];
  function drawBars(ctx, w, h) {
    const look = theme(page.root);
    const f = focus();
    const row = rowOf(h);
    const wide = w - GUTTER - 8;
    const x = (v) => GUTTER + (Math.max(0, v) / shown.top) * wide;
    ctx.font = `11px ${look.font}`;
    ctx.textBaseline = "alphabetic";
    for (const v of ticks(0, shown.top, Math.max(3, Math.floor(w / 90)))) {
      ctx.fillStyle = look.hair;
      ctx.fillRect(x(v) - 0.5, 0, 1, h - FOOT + 3);
      ctx.fillStyle = look.soft;
      ctx.textAlign = v ? "center" : "left";
      const text = `${number(v)}${v ? "" : unit().short}`;
      ctx.fillText(text, Math.min(x(v), w - ctx.measureText(text).width / 2), h - 5);
    }
    ctx.textAlign = "left";
    const covered = coveredBy(
      meta.baseline ? meta.baseline.points[meta.shape[0] - 1][meta.shape[1] - 1] : meta.path[steps()],
      meta.occluder,
    );
    shown.bars.forEach((value, i) => {
      const y = shown.rank[i] * row;
      const old = shown.ghost[i];
      const alpha = i === f ? 1 : others(0.38, 0.62);
      const thick = Math.max(1.5, row * 0.76);
      const strip = (from, to, strength) => {
        ctx.globalAlpha = alpha * strength;
        ctx.fillRect(x(from), y + (row - thick) / 2, Math.max(0.5, x(to) - x(from)), thick);
      };
      ctx.fillStyle = meta.face.colour[i];
      if (old == null) strip(0, value, 1);
      else {
        // up to the uncovered value paler; what rose beyond it stands out, what fell short is an empty ghost
        strip(0, Math.min(old, value), 0.55);
        if (value > old) strip(old, value, 1);
        ctx.fillStyle = look.faint;
        if (value < old) strip(value, old, 0.6);
        ctx.globalAlpha = alpha;
        ctx.fillStyle = look.ink;
        ctx.fillRect(x(old) - 0.75, y + row * 0.06, 1.5, row * 0.88);
      }
      ctx.globalAlpha = alpha;
      if (covered[i] && at()) {
        ctx.fillStyle = look.ink;
        ctx.fillRect(2, y + row * 0.15, 5, row * 0.7);
      }
    });
    ctx.globalAlpha = 1;
    if (!at()) {
      ctx.fillStyle = look.soft;
      ctx.font = `13px ${look.font}`;
      ctx.fillText("The mean face predicts nothing yet: press play.", GUTTER + 8, h / 2);
      return;
    }
    if (f == null) return;
    const y = (shown.rank[f] + 0.5) * row;
    const text = `${shown.bars[f].toFixed(2)}${unit().short}  ${meta.face.label[f]} · ${f}`;
    ctx.font = `600 12px ${look.font}`;
    const long = ctx.measureText(text).width + 12;
    const left = Math.min(x(Math.max(shown.bars[f], shown.ghost[f] ?? 0)) + 6, w - long - 2);
    const top = between(y - 10, 0, h - FOOT - 20);
    ctx.fillStyle = look.dark ? "rgb(20 22 26 / .92)" : "rgb(255 255 255 / .94)";
    ctx.beginPath();
    ctx.roundRect(left, top, long, 20, 4);
    ctx.fill();
    ctx.strokeStyle = look.faint;
    ctx.lineWidth = 1;
    ctx.stroke();
    ctx.fillStyle = look.ink;
    ctx.textBaseline = "middle";
    ctx.fillText(text, left + 6, top + 10.5);
  }

  /* What is shown moves from what was shown to what is true now. */
  function settle(ms = 0) {
    const from = shown;
    const values = spreads();
    const ghost = before();
    const order = barOrder(values, s.sort === "part" ? meta.face.order : null);
    const rank = [];
    order.forEach((i, at) => {
      rank[i] = at;
    });
    // Away from the landing the axis holds every stage, so that it stands still while the bars shrink.
    const top = niceTop(Math.max(...values, ...(ghost || [0]), step() < steps() ? largestSpread() : 0));
    const points = positionsAt(meta.path, t);
    stopMotion();
    const mix = (a, b, k) => (a == null || !Number.isFinite(a) ? b : a + (b - a) * k);
    const put = (k) => {
      shown = {
        points: points.map((p, i) => [mix(from.points[i]?.[0], p[0], k), mix(from.points[i]?.[1], p[1], k)]),
        bars: values.map((v, i) => mix(from.bars[i], v, k)),
        rank: rank.map((v, i) => mix(from.rank[i], v, k)),
        ghost: ghost || [],
        top: mix(from.bars.length ? from.top : null, top, k),
      };
      face.paint();
      bars.paint();
    };
    if (!ms || from.bars.length !== values.length) put(1);
    else stopMotion = animate(ms, put);
    notes();
  }
  const largestSpread = () =>
    unit().scale * Math.max(...meta.variance.flatMap((_, k) => sigmaAt(meta, k, meta.shape[1] - 1).map(spread)));

  /* Words and numbers --------------------------------------------------------------------------------- */

  const detail = el("div", { class: "wb-detail" });
  const effect = el("div", { class: "wb-effect" });
  const keys = el("div", { class: "wb-keys" });
  const px = (v) => (v * meta.size).toFixed(v * meta.size < 9.995 ? 2 : 1);
  const head = (...cells) => el("thead", {}, el("tr", {}, ...cells.map((c) => el("th", { scope: "col" }, c))));

  function notes() {
    page.caption.replaceChildren(
      ...uncertaintyCaption(meta, s, step()).map(([text, code]) => el(code ? "code" : "span", {}, text)),
    );
    parts.unitText.textContent = `√(σx σy) in ${unit().text}${unit().short === "%" ? ` (${px(meta.ocular)} px)` : ""}`;
    legend();
    showDetail();
    showEffect();
  }
  const stageNow = () => (at() ? at()[0] : 0);
  /* What set the patches' sizes: [state, how many, how]. */
  function reasons() {
    const stage = stageNow();
    const count = (state) => meta.states[stage].filter((x) => x === state).length;
    const { power, factor, limits } = meta.rule;
    const meaning = {
      floor: `× ${number(limits[0])}`,
      active: `× ${number(factor)} ${power}`,
      ceiling: `× ${number(limits[1])}`,
      first: `${px(meta.rects[0][0][2])} px, the same for all`,
      fixed: "half the last side",
    };
    return (stage === 0 ? ["first"] : power ? ["floor", "active", "ceiling"] : ["fixed"]).map((k) => [
      k,
      `${count(k)} ${k}`,
      meaning[k],
    ]);
  }
  const rule = () => (stageNow() ? [sizeRule(meta.rule)] : []);
  function legend() {
    keys.replaceChildren(
      ...(s.patches
        ? [
            el("span", {}, `patches of stage ${stageNow() + 1}`),
            ...reasons().map(([k, many, how]) =>
              el("span", {}, sampleLine(lookOf(meta.looks, k)), el("b", {}, many), how),
            ),
            ...rule().map((text) => el("span", {}, text)),
          ]
        : []),
    );
    keys.hidden = !s.patches;
  }
  function drawKeys(ctx, look, x, y) {
    const write = (text) => {
      ctx.fillStyle = look.ink;
      ctx.fillText(text, x, y - 7);
      x += ctx.measureText(text).width + 18;
    };
    write(`patches of stage ${stageNow() + 1}`);
    for (const [k, many, how] of reasons()) {
      const line = lookOf(meta.looks, k);
      ctx.fillStyle = "#33363d";
      ctx.fillRect(x, y - 7, 28, 14);
      ctx.strokeStyle = line.colour;
      ctx.lineWidth = line.width;
      ctx.setLineDash(line.dash);
      ctx.beginPath();
      ctx.moveTo(x + 3, y);
      ctx.lineTo(x + 25, y);
      ctx.stroke();
      ctx.setLineDash([]);
      x += 34;
      write(`${many} ${how}`);
    }
    rule().forEach(write);
  }
  function showDetail() {
    const f = focus();
    if (f == null) {
      detail.replaceChildren(el("span", {}, "Point at a landmark or a bar for its numbers; a click keeps them."));
      return;
    }
    const [stages, layers] = meta.shape;
    const rows = [];
    for (let k = 0; k < stages; k++) {
      const v = meta.variance[k][layers - 1][f];
      const side = meta.rects[k][f][2];
      const sigma = sigmaAt(meta, k, layers - 1)[f];
      const state = meta.states[k][f];
      const wish = meta.wanted[k]?.[f];
      let walked = 0;
      for (let j = k * layers; j < (k + 1) * layers; j++)
        walked += Math.hypot(meta.path[j + 1][f][0] - meta.path[j][f][0], meta.path[j + 1][f][1] - meta.path[j][f][1]);
      const setBy =
        state === "first" || wish == null || state === "fixed" ? state : `${state} (${number(+wish.toPrecision(2))})`;
      rows.push(
        el(
          "tr",
          {},
          el("td", {}, `${k + 1}`),
          el("td", {}, px(side)),
          el("td", {}, sampleLine(lookOf(meta.looks, state)), setBy),
          el("td", {}, v.map((x) => number(+x.toPrecision(2))).join(" · ")),
          el("td", {}, el("b", {}, sigma.map(px).join(" · "))),
          el("td", {}, px(walked)),
        ),
      );
    }
    const table = el(
      "table",
      { class: "wb-table" },
      el(
        "caption",
        {},
        `${meta.face.label[f]} · ${f} `,
        el(
          "small",
          {},
          `${meta.face.side[f]}, ${layers > 1 ? "last layer of each stage, " : ""}in px of the ${meta.size} px crop`,
        ),
      ),
      head(
        "stage",
        "patch",
        `set by${meta.rule.power ? ` (${number(meta.rule.factor)}\u00a0${meta.rule.power.replace(" ", "\u00a0")})` : ""}`,
        "v x · y",
        "σ x · y",
        "path",
      ),
      el("tbody", {}, ...rows),
    );
    const old = meta.baseline;
    const last = [stages - 1, layers - 1];
    const shift = old
      ? Math.hypot(...[0, 1].map((a) => meta.path[steps()][f][a] - old.points[last[0]][last[1]][f][a]))
      : 0;
    detail.replaceChildren(
      table,
      ...(old
        ? [
            el(
              "div",
              {},
              `uncovered σ of the answer ${old.sigma[last[0]][last[1]][f].map(px).join(" · ")} px; it moved by ${px(shift)} px`,
            ),
          ]
        : []),
    );
  }
  function showEffect() {
    effect.classList.toggle("waiting", asked());
    const old = before();
    if (!old) {
      effect.replaceChildren(...(o && asked() ? ["reading the covered face…"] : []));
      return;
    }
    const [stages, layers] = meta.shape;
    const e = effectOf(spreads(), old, coveredBy(meta.baseline.points[stages - 1][layers - 1], meta.occluder));
    const short = unit().short;
    const value = (v) => `${v.toFixed(v < 9.995 ? 2 : 1)}${short}`;
    const row = (name, part) =>
      el(
        "tr",
        {},
        el("td", {}, part ? `${part.count} ${name}` : `none ${name}`),
        ...(part
          ? [
              el("td", {}, value(part.before)),
              el("td", {}, value(part.now)),
              el("td", {}, el("b", {}, `× ${part.ratio.toFixed(2)}`)),
            ]
          : [el("td"), el("td"), el("td")]),
      );
    effect.replaceChildren(
      el(
        "table",
        { class: "wb-table" },
        head("mean σ of landmarks", "uncovered face", asked() ? "reading…" : "with occluder", "ratio"),
        el("tbody", {}, row("under the occluder", e.covered), row("beside it", e.free)),
      ),
    );
  }

  /* What changes, and who is told ---------------------------------------------------------------------- */

  function change(values, ms = 220) {
    s = { ...s, ...values };
    sync();
    settle(ms);
    commit();
  }
  function sync() {
    for (const key of ["ellipses", "patches", "path", "unit", "sort"]) parts[key].set(s[key]);
    parts.time.set(step());
    parts.cover.set(Boolean(o));
    parts.fill.set(o ? o.fill : "grey");
    parts.fill.node.hidden = !o;
  }
  function goTo(next, tell) {
    t = next;
    const here = at();
    // The mean face lies before all layers; a link, which cannot say so, then names the landing's.
    s = { ...s, stage: here ? here[0] : null, layer: here ? here[1] : meta.shape[1] - 1 };
    parts.time.set(step());
    settle();
    if (tell) commit();
  }
  /* Stops on a step: between two of them nothing was computed. */
  function hold(tell = true) {
    if (!playing) return;
    playing();
    playing = null;
    parts.play.textContent = "▶";
    goTo(step(), tell);
  }
  function play() {
    const layers = meta.shape[1];
    let cancel = () => {};
    let pause = 0;
    playing = () => {
      cancel();
      clearTimeout(pause);
    };
    parts.play.textContent = "❚❚";
    const stage = (k) => {
      if (k === meta.shape[0]) {
        hold();
        return;
      }
      cancel = animate(1000, (share) => {
        goTo((k + share) * layers, false);
        if (share === 1) pause = setTimeout(() => stage(k + 1), 350);
      });
    };
    goTo(0, false);
    pause = setTimeout(() => stage(0), 350);
  }
  const pace = pacer((value) => {
    if (sameOccluder(value, givenO)) {
      if (!asked()) pace.answered();
      return;
    } // nothing new: no answer would come
    givenO = value;
    showEffect();
    host.set("occluder", value);
  });
  function setOccluder(next, final) {
    hold();
    if (hover != null) point(null); // the effect is to be seen on all
    o = next;
    sync();
    pace.offer(o ? { ...o } : {}, final);
    face.paint();
    box.place();
  }
  const asOccluder = (r, fill) => {
    const four = (v) => Math.round(v * 1e4) / 1e4;
    return { x: four(r[0]), y: four(r[1]), w: four(r[2] - r[0]), h: four(r[3] - r[1]), fill };
  };
  function cover0() {
    // over the lower half of the face, or over the pinned landmark
    const p = s.landmark == null ? null : shown.points[s.landmark];
    return asOccluder(
      p
        ? moveRect([p[0] - 0.11, p[1] - 0.09, p[0] + 0.11, p[1] + 0.09], 0, 0, { bounds: [0, 0, 1, 1] })
        : [0.3, 0.58, 0.7, 0.8],
      "grey",
    );
  }
  function point(i, event, where) {
    if (i == null) tip.hide();
    else if (where === "face") {
      const sigma = sigmas()?.[i];
      tip.show(event.clientX, event.clientY, [
        `${meta.face.label[i]} · ${i}`,
        ...(sigma
          ? [
              ["σ x · y", `${sigma.map(px).join(" · ")} px`],
              [
                unit().short === "%" ? "of the eyes' distance" : "√(σx σy)",
                `${number(+spreads()[i].toPrecision(3))}${unit().short}`,
              ],
            ]
          : []),
        ["patch", `${px(meta.rects[at() ? at()[0] : 0][i][2])} px`],
      ]);
    }
    if (i === hover) return;
    hover = i;
    face.paint();
    bars.paint();
    showDetail();
  }
  const pin = (i) => {
    if (i != null || s.landmark != null) change({ landmark: i === s.landmark ? null : i }, 0);
  };
  const keyed = (next) => (event) => {
    if (event.key === "Escape") {
      hover = null;
      tip.hide();
      pin(s.landmark);
    } else if (event.key === "Enter" || event.key === " ") {
      const i = focus();
      hover = null;
      pin(i);
    } else {
      const i = next(event.key);
      if (i == null) return;
      point(i);
      page.say(`${meta.face.label[i]}, landmark ${i}, sigma ${number(+spreads()[i].toPrecision(3))} ${unit().text}`);
    }
    event.preventDefault();
  };

  /* Parts --------------------------------------------------------------------------------------------- */

  const holder = el("div", { class: "wb-face" });
  page.main.append(holder, keys, effect);
  const face = surface(holder, {
    label: "Face with the uncertainty of its landmarks. Arrow keys move, Enter pins, Escape clears.",
    ratio: 1,
    draw: (ctx, w, h) => {
      drawFace(ctx, w, h);
      box.place();
    },
  });
  const viewNow = () => fitFace(face.width, face.height);
  const box = rectEditor(holder, {
    label: "Occluder. Arrow keys move it, with shift they resize it, Delete takes it away.",
    get: () => (o && meta?.live && host.kind !== "file" ? occluderRect(o) : null),
    px: (p) => viewNow().px(p),
    unit: (p) => viewNow().unit(p),
    step: () => 0.01,
    limits: () => ({ bounds: [0, 0, 1, 1], min: 0.03 }),
    change: (r, final) => setOccluder(asOccluder(r, o.fill), final),
    remove: () => {
      setOccluder(null, true);
      face.canvas.focus();
    },
  });
  const hit = (event) => {
    const view = viewNow();
    const i = nearestPoint(shown.points, view.unit(face.at(event)), 14 / view.side);
    return i < 0 ? null : i;
  };
  holder.addEventListener("pointermove", (event) => {
    const i = hit(event);
    face.canvas.style.cursor = i == null ? "default" : "pointer";
    point(i, event, "face");
  });
  holder.addEventListener("pointerleave", () => point(null));
  holder.addEventListener("click", (event) => {
    if (!box.moved) pin(hit(event));
  });
  face.canvas.addEventListener(
    "keydown",
    keyed((key) => (key.startsWith("Arrow") ? stepPoint(shown.points, focus(), key) : null)),
  );
  face.canvas.addEventListener("blur", () => point(null));

  const header = el("div", { class: "wb-head" });
  page.side.append(header);
  const bars = surface(page.side, {
    label: "Uncertainty of every landmark, sorted. Up and down move, Enter pins, Escape clears.",
    ratio: barsTall,
    draw: drawBars,
  });
  page.side.append(detail);
  const inOrder = () =>
    shown.rank
      .map((r, i) => [r, i])
      .sort((a, b) => a[0] - b[0])
      .map((x) => x[1]);
  const barAt = (event) => inOrder()[Math.floor(bars.at(event)[1] / rowOf(bars.height))] ?? null;
  bars.canvas.addEventListener("pointermove", (event) => point(barAt(event), event, "bars"));
  bars.canvas.addEventListener("pointerleave", () => point(null));
  bars.canvas.addEventListener("blur", () => point(null));
  bars.canvas.addEventListener("click", (event) => pin(barAt(event)));
  bars.canvas.addEventListener(
    "keydown",
    keyed((key) => {
      const by = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity }[key];
      const order = inOrder();
      return by ? order[between((focus() == null ? -1 : order.indexOf(focus())) + by, 0, order.length - 1)] : null;
    }),
  );

  function strip() {
    const [, layers] = meta.shape;
    const format = (v) => {
      const here = stageOf(layers, v);
      return here ? `stage ${here[0] + 1} · layer ${here[1] + 1}` : "mean face";
    };
    const flag = (key, text, title) => toggle(text, title, s[key], (on) => change({ [key]: on }, 0));
    parts = {
      ellipses: flag("ellipses", "ellipses", "ellipses at 1, 2 and 3 standard deviations"),
      patches: flag("patches", "patches", "what the network looked at, coloured by what set the size"),
      path: flag("path", "path", "the way from the mean face to the answer"),
      play: button("▶", "play from the mean face to the landing", () => (playing ? hold() : play())),
      time: slider(
        "",
        "from the mean face to the landing",
        { min: 0, max: steps(), step: 1, value: step(), format },
        (v) => {
          hold(false);
          goTo(v, false);
        },
        () => commit(),
      ),
      cover: toggle("occluder", "cover a part of the face and read it again", Boolean(o), (on) =>
        setOccluder(on ? cover0() : null, true),
      ),
      fill: segmented(
        "",
        Object.keys(meta.fills).map((k) => [k, k, `fill with ${k}`]),
        o ? o.fill : "grey",
        (fill) => setOccluder({ ...o, fill }, true),
      ),
      unit: segmented(
        "",
        [
          ["ocular", "% of eyes", "percent of the distance between the outer eye corners"],
          ["pixel", "px", "pixels of the crop"],
        ],
        s.unit,
        (v) => change({ unit: v }),
      ),
      sort: segmented(
        "",
        [
          ["sigma", "sorted", "least certain first"],
          ["part", "by part", "in the order of the facial parts"],
        ],
        s.sort,
        (v) => change({ sort: v }),
      ),
      unitText: el("span"),
    };
    parts.time.node.classList.add("wb-time");
    parts.play.classList.add("wb-play");
    const can = meta.live && host.kind !== "file";
    page.strip.replaceChildren(
      parts.play,
      parts.time.node,
      parts.ellipses.node,
      parts.patches.node,
      parts.path.node,
      ...(can ? [spacer(), parts.cover.node, parts.fill.node] : []),
    );
    const chips = meta.face.brackets.map(({ text, colour }) => {
      const chip = el("i");
      chip.style.background = colour;
      return el("span", {}, chip, text);
    });
    header.replaceChildren(
      parts.sort.node,
      ...(meta.ocular ? [parts.unit.node] : []),
      parts.unitText,
      el("div", { class: "wb-keys" }, ...chips),
    );
    page.foot.replaceChildren(
      button("PNG", "save the picture", savePicture),
      button("CSV", "save the numbers", saveNumbers),
    );
  }
  const stem = () => {
    const here = at();
    return `uncertainty-${here ? `stage${here[0] + 1}-layer${here[1] + 1}` : "mean"}`;
  };
  /* Face and bars as they stand; what the page says in its keys is written above and below them. */
  function savePicture() {
    const side = 900;
    const wide = 560;
    const left = side + 24;
    saveSheet(`${stem()}.png`, page, meta.title, left + wide + 8, side + (s.patches ? 30 : 0), (ctx, look) => {
      ctx.save();
      ctx.beginPath();
      ctx.rect(0, 0, side, side);
      ctx.clip();
      drawFace(ctx, side, side);
      ctx.restore();
      ctx.font = "13px system-ui";
      ctx.textBaseline = "top";
      ctx.fillStyle = look.ink;
      ctx.fillText(parts.unitText.textContent, left, 8, wide);
      let x = left;
      for (const { text, colour } of meta.face.brackets) {
        ctx.fillStyle = colour;
        ctx.fillRect(x, 32, 11, 11);
        ctx.fillStyle = look.soft;
        ctx.fillText(text, x + 16, 30);
        x += 34 + ctx.measureText(text).width;
      }
      if (s.patches) drawKeys(ctx, look, 8, side + 18);
      ctx.translate(left, 56);
      drawBars(ctx, wide, side - 56);
    });
  }
  function saveNumbers() {
    const sigma = sigmas();
    const old = before();
    const rows = meta.path[0].map((_, i) => [
      i,
      meta.face.label[i],
      meta.face.part[i],
      ...meta.path[step()][i].map((v) => (v * meta.size).toFixed(3)),
      ...(sigma ? sigma[i].map((v) => (v * meta.size).toFixed(4)) : ["", ""]),
      old ? ((old[i] / unit().scale) * meta.size).toFixed(4) : "",
    ]);
    saveFile(
      `${stem()}.csv`,
      csv([["landmark", "name", "part", "x_px", "y_px", "sigma_x_px", "sigma_y_px", "uncovered_sigma_px"], ...rows]),
      "text/csv",
    );
  }

  let built = "";
  function refresh(ms) {
    adopt();
    const form = JSON.stringify([meta.shape, meta.live, meta.face.brackets, Boolean(meta.ocular)]);
    if (form !== built) strip(); // not on every answer: a control that is being used must stay
    built = form;
    sync();
    settle(ms);
    box.place();
  }
  read();
  refresh(0);
  const stop = host.watch((what) => {
    const held = playing && given;
    hold(false);
    if (what === "payload") {
      tip.hide();
      read();
    }
    refresh(260);
    if (held && held === given) commit(); // Python chose no other step, so it has to hear of this one
    if (what === "payload") pace.answered();
  });
  return () => {
    stop();
    playing?.();
    stopMotion();
    pace.stop();
    face.close();
    bars.close();
    page.close();
  };
}

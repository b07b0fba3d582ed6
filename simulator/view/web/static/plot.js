// A chart as uPlot draws it, in the colours of the page: lines, limits across it, and stretches in which something was.
import { html, useEffect, useRef, useState } from "./vendor/htm/standalone.module.js";
import { useSeen } from "./pages.js";

// lines are told apart by dashes: colour is for what is lost, once something is
export const DASHES = [[], [6, 4], [2, 3]];
const LABEL = "11px system-ui";
const STEP = 7;
const MOST_LABELS = 12;

/** Return the colours of the page as they are now. */
function colours() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}

/** Hatch the stretches of marks, and rule a line where one has no length; their words stand at the top. */
function drawMarks(plot, marks, colour) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const end = plot.scales.x.max;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.strokeStyle = colour("muted");
  ctx.fillStyle = colour("text");
  ctx.font = LABEL.replace("11", String(11 * ratio));
  marks.forEach(({ from, to, text }, place) => {
    const left = plot.valToPos(from, "x", true);
    const right = plot.valToPos(to ?? end, "x", true);
    ctx.lineWidth = ratio;
    ctx.globalAlpha = 0.45;
    ctx.beginPath();
    for (let x = left - bbox.height; x < right; x += STEP * ratio) {
      const cut = Math.max(left, x);
      ctx.moveTo(cut, bbox.top + bbox.height - (cut - x));
      const until = Math.min(right, x + bbox.height);
      if (until > cut) ctx.lineTo(until, bbox.top + bbox.height - (until - x));
    }
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.beginPath();
    ctx.moveTo(left, bbox.top);
    ctx.lineTo(left, bbox.top + bbox.height);
    ctx.stroke();
    if (marks.length - place > MOST_LABELS) return;
    const isLate = left + ctx.measureText(text).width > bbox.left + bbox.width;
    ctx.textAlign = isLate ? "right" : "left";
    const at = isLate ? Math.min(left, bbox.left + bbox.width) : Math.max(left, bbox.left);
    ctx.fillText(text, at + (isLate ? -3 : 3) * ratio, bbox.top + (11 + 12 * (place % 4)) * ratio);
  });
  ctx.restore();
}

function drawLimits(plot, limits, colour) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour("text");
  ctx.setLineDash([8 * ratio, 4 * ratio]);
  ctx.lineWidth = ratio;
  ctx.font = LABEL.replace("11", String(11 * ratio));
  for (const { at, text } of limits) {
    const y = plot.valToPos(at, "y", true);
    if (y < bbox.top) continue;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillText(text, bbox.left + 3 * ratio, y - 3 * ratio);
  }
  ctx.restore();
}

/** Count how often light and dark have changed places. */
function useScheme() {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const changed = () => setChanges((n) => n + 1);
    dark.addEventListener("change", changed);
    return () => dark.removeEventListener("change", changed);
  }, []);
  return changes;
}

/**
 * Draw lines over times. ``alarms`` are the places of lines that are drawn in the colour of alarms; ``limits`` have
 * ``at`` and ``text``, ``marks`` have ``from``, ``to`` (null: goes on) and ``text``.
 */
export function Plot({ label, height, times, lines, showX, showY, alarms = [], limits = [], marks = [], isAroundItself = false }) {
  const holder = useRef(null);
  const plot = useRef(null);
  const latest = useRef({});
  const scheme = useScheme();
  const isSeen = useSeen(holder);
  latest.current = { alarms, limits, marks };

  useEffect(() => {
    const colour = colours();
    const axis = { stroke: colour("muted"), grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("grid") }, font: "12px system-ui" };
    const options = {
      width: holder.current.clientWidth,
      height,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false },
        y: { range: (_, low, high) => (isAroundItself ? around(low, high) : [Math.min(0, low ?? 0), upTo(high, latest.current.limits)]) },
      },
      axes: [
        { ...axis, values: (_, ticks) => ticks.map(showX), space: 70, incrs: [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400] },
        { ...axis, values: (_, ticks) => ticks.map(showY), size: 58, space: height < 120 ? 25 : 30 },
      ],
      series: [
        {},
        ...lines.map((_, place) => ({
          stroke: () => colour(latest.current.alarms.includes(place) ? "alarm" : "line"),
          width: 1.5,
          dash: DASHES[place],
          points: { show: false },
        })),
      ],
      hooks: {
        drawAxes: [(drawn) => drawMarks(drawn, latest.current.marks, colour)],
        draw: [(drawn) => drawLimits(drawn, latest.current.limits, colour)],
      },
    };
    plot.current = new uPlot(options, [times, ...lines], holder.current);
    const watch = new ResizeObserver(([{ contentRect }]) => plot.current.setSize({ width: contentRect.width, height }));
    watch.observe(holder.current);
    return () => (watch.disconnect(), plot.current.destroy());
  }, [scheme]);

  useEffect(() => {
    if (isSeen) plot.current.setData([times, ...lines]);
  }, [isSeen, times.at(-1), times.length, marks.length, limits.length]);

  return html`<div class="plot" style=${{ minHeight: `${height}px` }} ref=${holder} role="img" aria-label=${label}></div>`;
}

/** Return a range that shows how something changes, however little that is. */
function around(low, high) {
  if (low === null) return [0, 1];
  const edge = (high - low || Math.abs(high) || 1) * 0.1;
  return [low - edge, high + edge];
}

/** Return where a chart ends that begins at 0: above its lines, and above a limit that is not far off. */
function upTo(high, limits) {
  const near = limits.map(({ at }) => at).filter((at) => at < 3 * (high ?? 0));
  return Math.max(high ?? 0, ...near) * 1.1 || 1;
}

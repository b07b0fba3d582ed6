// Charts over the wall time of the run; at most 2,000 points each.
import { html, useEffect, useRef, useState } from "./vendor/htm/standalone.module.js";
import { clock, count, decimal, t } from "./text.js";

const HEIGHT = 180;
const CHARTS = [
  { title: "chart_flow", shows: count, series: [["published_per_s", "published"], ["received_per_s", "received"], ["written_per_s", "written"]] },
  { title: "chart_latency", shows: decimal, series: [["end_to_end_p99_ms", "written"]] },
  { title: "chart_waiting", shows: count, series: [["in_flight", "in_flight"], ["lost", "lost"]] },
];
// lines are told apart by dashes: colour is for what is lost, once something is
const DASHES = [[], [6, 4], [2, 3]];

/** Return the colours of the page as they are now. */
function colours() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}

function options(chart, width) {
  const colour = colours();
  const axis = { stroke: colour("muted"), grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("grid") }, font: "12px system-ui" };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high ?? 0) * 1.1 || 1] } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map(clock), space: 70, incrs: [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400] },
      { ...axis, values: (_, ticks) => ticks.map(chart.shows), size: 58 },
    ],
    series: [
      {},
      ...chart.series.map(([name], place) => ({
        stroke: ({ data }) => colour(name === "lost" && data[place + 1].at(-1) > 0 ? "alarm" : "line"),
        width: 1.5,
        dash: DASHES[place],
        points: { show: false },
      })),
    ],
  };
}

const isAlarm = (name, history) => name === "lost" && history.lost?.at(-1) > 0;
const dataOf = (chart, history) => [history.wall_s ?? [], ...chart.series.map(([name]) => history[name] ?? [])];

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

function Chart({ chart, history }) {
  const holder = useRef(null);
  const plot = useRef(null);
  const scheme = useScheme();

  useEffect(() => {
    plot.current = new uPlot(options(chart, holder.current.clientWidth), dataOf(chart, history), holder.current);
    const watch = new ResizeObserver(([{ contentRect }]) => plot.current.setSize({ width: contentRect.width, height: HEIGHT }));
    watch.observe(holder.current);
    return () => (watch.disconnect(), plot.current.destroy());
  }, [scheme]);

  useEffect(() => plot.current.setData(dataOf(chart, history)), [history]);

  const latest = chart.series.map(([name, label]) => `${t(label)} ${chart.shows(history[name]?.at(-1))}`);
  return html`
    <figure>
      <figcaption>${t(chart.title)}</figcaption>
      <div class="plot" ref=${holder} role="img" aria-label=${`${t(chart.title)}: ${latest.join(", ")}`}></div>
      <p class="legend" aria-hidden="true">
        ${chart.series.map(
          ([name], place) => html`
            <span key=${name} class=${isAlarm(name, history) ? "alarm" : ""}>
              <svg class="dash" viewBox="0 0 28 4"><path d="M0 2h28" stroke-dasharray=${DASHES[place].join(" ")} /></svg>
              ${latest[place]}
            </span>
          `,
        )}
      </p>
    </figure>
  `;
}

export const Charts = ({ history }) => CHARTS.map((chart) => html`
  <section class="panel third" key=${chart.title} aria-label=${t(chart.title)}>
    <${Chart} chart=${chart} history=${history} />
  </section>
`);

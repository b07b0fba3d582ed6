// Charts over the wall time of the run; at most 2,000 points each.
import { html } from "./vendor/htm/standalone.module.js";
import { brief, said } from "./control.js";
import { DASHES, Plot } from "./plot.js";
import { clock, count, decimal, t } from "./text.js";

const HEIGHT = 180;
const CHARTS = [
  { title: "chart_flow", shows: count, limits: ["rate", "received_rate", "written_rate"], series: [["published_per_s", "published"], ["received_per_s", "received"], ["written_per_s", "written"]] },
  { title: "chart_latency", shows: decimal, limits: ["end_to_end"], series: [["end_to_end_p99_ms", "written"]] },
  { title: "chart_waiting", shows: count, limits: ["in_flight"], series: [["in_flight", "in_flight"], ["lost", "lost"]] },
];

const isAlarm = (name, history) => name === "lost" && history.lost?.at(-1) > 0;

function Chart({ chart, history, thresholds, marks }) {
  const latest = chart.series.map(([name, label]) => `${t(label)} ${chart.shows(history[name]?.at(-1))}`);
  const limits = thresholds.filter(({ metric }) => chart.limits.includes(metric)).map(({ expression, bound }) => ({ at: bound, text: expression }));
  const stretches = marks.map((one) => ({ from: one.from_s, to: one.to_s, text: brief(one) }));
  return html`
    <figure>
      <figcaption>${t(chart.title)}</figcaption>
      <${Plot} label=${`${t(chart.title)}: ${latest.join(", ")}`} height=${HEIGHT} times=${history.wall_s ?? []}
        lines=${chart.series.map(([name]) => history[name] ?? [])} showX=${clock} showY=${chart.shows} limits=${limits} marks=${stretches}
        alarms=${chart.series.flatMap(([name], place) => (isAlarm(name, history) ? [place] : []))} />
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

export const Charts = ({ history, document }) => CHARTS.map((chart) => html`
  <section class="panel third" key=${chart.title} aria-label=${t(chart.title)}>
    <${Chart} chart=${chart} history=${history} thresholds=${document.thresholds} marks=${document.marks} />
  </section>
`);

const MOST_MARKS = 6;

/** Say in words what the charts show hatched. */
export function MarkList({ marks }) {
  const latest = marks.slice(-MOST_MARKS).reverse();
  if (!latest.length) return null;
  return html`
    <section class="panel wide" aria-labelledby="marks">
      <h2 id="marks">${t("marks")}</h2>
      <ul class="acts">
        ${latest.map(
          (one) => html`<li key=${`${one.what}${one.from_s}${one.target}`}>
            ${clock(one.from_s)} – ${one.to_s === null ? "…" : clock(one.to_s)} ${said(one)} <span class="muted">${t(`cause_${one.cause.replace(" ", "_")}`)}</span>
          </li>`,
        )}
      </ul>
    </section>
  `;
}

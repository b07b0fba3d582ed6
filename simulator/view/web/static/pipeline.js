// The pipeline strip: what has come to each hop, how fast, how late, and what is missing.
import { html } from "./vendor/htm/standalone.module.js";
import { count, ms, t } from "./text.js";
import { Shape } from "./shapes.js";

const HOPS = [
  ["scheduled", null],
  ["published", "lateness"],
  ["acknowledged", "publish"],
  ["received", "broker"],
  ["written", "end_to_end"],
];

const sum = (counted) => Object.values(counted).reduce((total, n) => total + n, 0);

/** Return how many messages wait before each hop; what was given up on the way does not wait. */
function heldUp(messages) {
  const gone = { published: sum(messages.dropped), written: messages.dead_lettered + messages.spooled };
  const names = HOPS.map(([name]) => name);
  const wait = (name, place) => [name, Math.max(0, messages[names[place]] - messages[name] - (gone[name] ?? 0))];
  return Object.fromEntries(names.slice(1).map(wait));
}

function Hop({ name, messages, rate, p99, waiting }) {
  return html`
    <li class="hop">
      <h3>${t(name)}</h3>
      <p class="big"><data value=${messages[name]} data-count=${name}>${count(messages[name])}</data></p>
      <p>${count(rate ?? null)}${t("per_s")}</p>
      <p class="muted">${p99 === undefined ? " " : `p99 ${ms(p99)}`}</p>
      <p class="muted">${waiting === undefined ? " " : t("held_up", { count: count(waiting) })}</p>
    </li>
  `;
}

/**
 * A figure of the balance; one that is bad unless it is 0 gets shape and colour when it is not. What gateways of the
 * scenario drop on purpose is dropped as well, and not lost.
 */
function Figure({ name, value, isBad = false }) {
  const alarm = isBad && value > 0;
  return html`
    <div class=${alarm ? "figure alarm" : "figure"}>
      <dt>${t(name)}</dt>
      <dd>${alarm && html`<${Shape} kind="alarm" />`}<data value=${value} data-count=${name}>${count(value)}</data></dd>
    </div>
  `;
}

export function Pipeline({ document, rates }) {
  const { messages, readings, latency_ms: latency } = document;
  const waiting = heldUp(messages);
  return html`
    <section class="panel wide" aria-labelledby="pipeline">
      <h2 id="pipeline">${t("pipeline")}</h2>
      <ol class="hops">
        ${HOPS.map(
          ([name, hop]) => html`
            <${Hop} key=${name} name=${name} messages=${messages} rate=${rates[name]} waiting=${waiting[name]}
              p99=${hop ? latency[hop]?.p99 : undefined} />
          `,
        )}
      </ol>
      <h3 class="hidden">${t("accounting")}</h3>
      <dl class="figures">
        <${Figure} name="unaccounted" value=${messages.unaccounted} isBad />
        <${Figure} name="dropped" value=${sum(messages.dropped)} isBad=${document.point.lost > 0} />
        <${Figure} name="dead_lettered" value=${messages.dead_lettered} isBad />
        <${Figure} name="in_flight" value=${messages.in_flight} />
        <${Figure} name="spooled" value=${messages.spooled} />
        <${Figure} name="duplicates" value=${messages.duplicates} />
        <${Figure} name="reordered" value=${messages.reordered} />
      </dl>
      <p class="muted">
        ${t("readings", { written: count(readings.written), scheduled: count(readings.scheduled) })}
      </p>
    </section>
  `;
}

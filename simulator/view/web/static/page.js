// The page: where the run stands, once a second.
import { html, render, useEffect, useRef, useState } from "./vendor/htm/standalone.module.js";
import { Charts } from "./charts.js";
import { STALE_MS, useLive } from "./live.js";
import { ParkMap } from "./map.js";
import { Pipeline } from "./pipeline.js";
import { Shape } from "./shapes.js";
import { AlarmList, Energy, Oee } from "./tables.js";
import { clock, count, language, t } from "./text.js";

const BETWEEN_SAYINGS_MS = 10000;
const other = language === "vi" ? "en" : "vi";

/** Say aloud when trouble or the number of alarms changes, and nothing else; alarms not too often. */
function Announcer({ trouble, alarms }) {
  const [ofTrouble, sayOfTrouble] = useState("");
  const [ofAlarms, sayOfAlarms] = useState("");
  const last = useRef({ trouble: null, alarms: 0, at: 0 }).current;
  useEffect(() => {
    if (trouble === last.trouble) return;
    sayOfTrouble(trouble ? t("said_trouble", { trouble }) : t("said_well"));
    last.trouble = trouble;
  });
  useEffect(() => {
    if (alarms === last.alarms || Date.now() - last.at < BETWEEN_SAYINGS_MS) return;
    sayOfAlarms(alarms ? t("said_alarms", { count: count(alarms) }) : t("said_no_alarms"));
    Object.assign(last, { alarms, at: Date.now() });
  });
  return html`
    <div class="hidden" aria-live="polite"><p id="said-trouble">${ofTrouble}</p><p id="said-alarms">${ofAlarms}</p></div>
  `;
}

function Header({ run }) {
  const values = run && { simulated: clock(run.simulated_s), duration: run.duration_s === null ? "" : clock(run.duration_s) };
  return html`
    <header>
      <a class="skip" href="#figures">${t("skip")}</a>
      <h1>${run ? run.title || run.name : "parksim"}</h1>
      ${run &&
      html`<p>
        ${t(run.duration_s === null ? "simulated_so_far" : "simulated_of", values)} ·
        ${" "}${t("speed", { speed: run.speed })} · ${t("seed", { seed: run.seed })} · ${run.store}
      </p>`}
      <a href="?lang=${other}" lang=${other} hreflang=${other}>${t("language")}</a>
    </header>
  `;
}

function Verdict({ run }) {
  const isPass = run.exit_code === 0;
  return html`
    <p class="banner ${isPass ? "" : "alarm"}" id="verdict">
      ${!isPass && html`<${Shape} kind="alarm" />`}
      <b>${isPass ? t("verdict_pass") : t("verdict_fail", { code: run.exit_code })}</b> <span lang="en">${run.verdict}</span>
    </p>
  `;
}

function Banners({ run, age }) {
  const isStale = !run.over && age > STALE_MS;
  return html`
    ${run.over && html`<${Verdict} run=${run} />`}
    ${run.trouble && !run.over &&
    html`<p class="banner alarm"><${Shape} kind="alarm" /> <b>${t("trouble")}</b> <span lang="en">${run.trouble}</span></p>`}
    ${run.waiting && html`<p class="banner">${t("waiting", { waiting: run.waiting })}</p>`}
    ${isStale && html`<p class="banner hatched">${t("stale", { age: count(age / 1000) })}</p>`}
  `;
}

function Page() {
  const { document: live, rates, history, age } = useLive();
  const run = live?.run;
  useEffect(() => {
    document.title = run ? `${run.name} · parksim` : "parksim";
  }, [run?.name]);
  if (!live) {
    return html`<${Header} /><main id="figures"><p class="banner">${t("loading")}</p></main>`;
  }
  return html`
    <${Header} run=${run} />
    <main id="figures" tabindex="-1" class=${!run.over && age > STALE_MS ? "stale" : ""}>
      <${Banners} run=${run} age=${age} />
      <${Announcer} trouble=${run.over ? null : run.trouble} alarms=${live.park.alarms ?? 0} />
      <${Pipeline} document=${live} rates=${rates} />
      <${ParkMap} document=${live} />
      <${Charts} history=${history} />
      <${AlarmList} document=${live} />
      <${Oee} document=${live} />
      <${Energy} document=${live} />
    </main>
  `;
}

render(html`<${Page} />`, document.getElementById("page"));

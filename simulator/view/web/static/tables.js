// OEE by factory, alarms, and energy by site.
import { html, useState } from "./vendor/htm/standalone.module.js";
import { posted } from "./live.js";
import { StateCell } from "./machines.js";
import { useFetched } from "./pages.js";
import { Shape } from "./shapes.js";
import { clock, count, decimal, percent, t } from "./text.js";

const FIRST_ROWS = 8;

const Table = ({ id, heads, children }) => html`
  <div class="scroll" tabindex="0" role="group" aria-labelledby=${id}>
    <table aria-labelledby=${id}>
      <thead><tr>${heads.map((key) => html`<th key=${key} scope="col">${t(key)}</th>`)}</tr></thead>
      <tbody>${children}</tbody>
    </table>
  </div>
`;

const Alarms = ({ value }) =>
  value ? html`<td class="alarm"><${Shape} kind="alarm" /> ${count(value)}</td>` : html`<td>0</td>`;

export function Oee({ document }) {
  const [all, setAll] = useState(false);
  const { park, factories } = document;
  const worst = [...factories].sort((one, other) => (one.oee ?? 2) - (other.oee ?? 2));
  const shown = all ? worst : worst.slice(0, FIRST_ROWS);
  const factors = ["availability", "effectiveness", "quality"];
  return html`
    <section class="panel half" aria-labelledby="oee">
      <h2 id="oee">${t("oee")}</h2>
      <p><b>${percent(park.oee)}</b> = ${factors.map((name) => `${percent(park[name])} ${t(name)}`).join(" × ")}</p>
      <${Table} id="oee" heads=${["factory", "oee", "running", "machines", "alarms"]}>
        ${shown.map(
          (one) => html`
            <tr key=${one.name}>
              <th scope="row">${one.name}</th>
              <td>${percent(one.oee)}</td>
              <td>${count(one.running)}</td>
              <td>${count(one.machines)}</td>
              <${Alarms} value=${one.alarms} />
            </tr>
          `,
        )}
      <//>
      ${worst.length > FIRST_ROWS &&
      html`<button type="button" onClick=${() => setAll(!all)}>
        ${all ? t("show_fewer") : t("show_all", { count: count(worst.length) })}
      </button>`}
    </section>
  `;
}

export function OeeByType({ document }) {
  const [all, setAll] = useState(false);
  const types = Object.entries(document.parts.oee_by_type ?? {}).sort(([, one], [, other]) => (one ?? 2) - (other ?? 2));
  const shown = all ? types : types.slice(0, FIRST_ROWS);
  return html`
    <section class="panel half" aria-labelledby="oee-by-type">
      <h2 id="oee-by-type">${t("oee_by_type")}</h2>
      <${Table} id="oee-by-type" heads=${["kind", "oee"]}>
        ${shown.map(([name, oee]) => html`<tr key=${name}><th scope="row">${name}</th><td>${percent(oee)}</td></tr>`)}
      <//>
      ${types.length > FIRST_ROWS &&
      html`<button type="button" onClick=${() => setAll(!all)}>
        ${all ? t("show_fewer") : t("show_all", { count: count(types.length) })}
      </button>`}
    </section>
  `;
}

export function AlarmList({ document, onMachine }) {
  const [acknowledged, setAcknowledged] = useState(0);
  const any = document.alarms.all > 0;
  const { found } = useFetched("/alarms.json", `${document.number} ${document.alarms.all} ${acknowledged}`, document.run.over);
  const acknowledge = (topic) => posted("/acknowledge", { topic }).then(() => setAcknowledged((n) => n + 1), () => {});
  return html`
    <section class="panel wide" aria-labelledby="alarms">
      <h2 id="alarms">${t("alarms")}</h2>
      ${any
        ? html`
            <p>${t("alarms_new", { new: count(document.alarms.new), all: count(document.alarms.all) })}</p>
            <${Table} id="alarms" heads=${["machine", "kind", "state", "since", "acknowledge_head"]}>
              ${(found ?? []).map(
                (one) => html`
                  <tr key=${one.topic}>
                    <th scope="row">
                      <button type="button" class="link" onClick=${() => onMachine(one.topic)}>${one.topic.split("/").slice(-3).join(" / ")}</button>
                    </th>
                    <td>${one.kind}</td>
                    <${StateCell} state=${one.state} />
                    <td>${clock(one.since_s)}</td>
                    <td>
                      ${one.acknowledged
                        ? t("acknowledged_alarm")
                        : html`<button type="button" disabled=${document.run.over} onClick=${() => acknowledge(one.topic)}
                            aria-label=${`${t("acknowledge")} ${one.topic.split("/").at(-1)}`}>${t("acknowledge")}</button>`}
                    </td>
                  </tr>
                `,
              )}
            <//>
          `
        : html`<p>${t("no_alarms")}</p>`}
    </section>
  `;
}

export function Energy({ document }) {
  const sites = Object.entries(document.parts.sites ?? {});
  return html`
    <section class="panel wide" aria-labelledby="energy">
      <h2 id="energy">${t("energy")}</h2>
      <${Table} id="energy" heads=${["site", "energy_kwh", "good", "bad", "failures", "mtbf_h", "mttr_min"]}>
        ${sites.map(
          ([name, site]) => html`
            <tr key=${name}>
              <th scope="row">${name}</th>
              <td>${decimal(site.energy_kwh)}</td>
              <td>${count(site.pieces_good)}</td>
              <td>${count(site.pieces_bad)}</td>
              <td>${count(site.failures)}</td>
              <td>${decimal(site.mtbf_h)}</td>
              <td>${decimal(site.mttr_min)}</td>
            </tr>
          `,
        )}
      <//>
    </section>
  `;
}

// OEE by factory, alarms, and energy by site.
import { html, useEffect, useState } from "./vendor/htm/standalone.module.js";
import { fetched } from "./live.js";
import { StateCell } from "./machines.js";
import { Shape } from "./shapes.js";
import { count, decimal, percent, t } from "./text.js";

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

export function AlarmList({ document }) {
  const [alarms, setAlarms] = useState([]);
  const any = document.factories.some((factory) => factory.alarms);
  useEffect(() => {
    let isWanted = true;
    if (any && !document.run.over) fetched("/alarms.json").then((found) => isWanted && setAlarms(found), () => {});
    return () => (isWanted = false);
  }, [document.number]);
  return html`
    <section class="panel half" aria-labelledby="alarms">
      <h2 id="alarms">${t("alarms")}</h2>
      ${any
        ? html`
            <${Table} id="alarms" heads=${["machine", "kind", "state"]}>
              ${alarms.map(
                (one) => html`
                  <tr key=${one.topic}>
                    <th scope="row">${one.topic.split("/").slice(-3).join(" / ")}</th>
                    <td>${one.kind}</td>
                    <${StateCell} state=${one.state} />
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

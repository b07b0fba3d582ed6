// The machines of a factory, a page at a time.
import { html, useEffect, useRef, useState } from "./vendor/htm/standalone.module.js";
import { fetched } from "./live.js";
import { Shape, kindOf } from "./shapes.js";
import { count, t } from "./text.js";

const PAGE = 50;

export const StateCell = ({ state }) => html`
  <td class=${kindOf(state)}><${Shape} kind=${kindOf(state)} /> ${t(`state_${state}`)}</td>
`;

/** List the machines of a factory; asked again with every document, until the run is over. */
export function Machines({ factory, tick, isOver, onClose }) {
  const [offset, setOffset] = useState(0);
  const [page, setPage] = useState(null);
  const [isLost, setLost] = useState(false);
  const heading = useRef(null);
  const lastTick = useRef(tick);
  // after the end nobody answers
  if (!isOver) lastTick.current = tick;

  useEffect(() => {
    // where the focus came from is where it goes back to
    const before = document.activeElement;
    heading.current.focus();
    return () => before?.isConnected && before.focus();
  }, []);

  useEffect(() => {
    let isWanted = true;
    const query = new URLSearchParams({ factory, offset, limit: PAGE });
    fetched(`/machines.json?${query}`).then(
      (found) => isWanted && (setPage(found), setLost(false)),
      () => isWanted && setLost(true),
    );
    return () => (isWanted = false);
  }, [factory, offset, lastTick.current]);

  const total = page?.total ?? 0;
  const onKey = (event) => event.key === "Escape" && onClose();
  return html`
    <div class="machines" role="group" aria-labelledby="machines" onKeyDown=${onKey}>
      <h3 id="machines" tabindex="-1" ref=${heading}>${t("machines_of", { factory })}</h3>
      <button type="button" class="close" onClick=${onClose}>${t("close")}</button>
      ${isLost && html`<p>${t("not_fetched")}</p>`}
      ${page &&
      html`
        <div class="scroll" tabindex="0" role="group" aria-labelledby="machines">
          <table aria-labelledby="machines">
            <thead>
              <tr>
                <th scope="col">${t("machine")}</th>
                <th scope="col">${t("line")}</th>
                <th scope="col">${t("kind")}</th>
                <th scope="col">${t("state")}</th>
              </tr>
            </thead>
            <tbody>
              ${page.machines.map(
                (one) => html`
                  <tr key=${one.topic}>
                    <th scope="row">${one.cell}</th>
                    <td>${one.line}</td>
                    <td>${one.kind}</td>
                    <${StateCell} state=${one.state} />
                  </tr>
                `,
              )}
            </tbody>
          </table>
        </div>
        <p class="pages">
          <button type="button" disabled=${offset === 0} onClick=${() => setOffset(Math.max(0, offset - PAGE))}>
            ${t("previous")}
          </button>
          <span>${t("page_of", { from: count(Math.min(total, offset + 1)), to: count(Math.min(total, offset + PAGE)), total: count(total) })}</span>
          <button type="button" disabled=${offset + PAGE >= total} onClick=${() => setOffset(offset + PAGE)}>
            ${t("next")}
          </button>
        </p>
      `}
    </div>
  `;
}

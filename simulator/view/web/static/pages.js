// Lists that the server tells a page at a time.
import { html, useEffect, useRef, useState } from "./vendor/htm/standalone.module.js";
import { fetched } from "./live.js";
import { count, t } from "./text.js";

export const PAGE = 50;
const MOST_PAGES = 10;

/** Return what is at a path, asked again with every tick unless that is of no use: {found, isLost}. */
export function useFetched(path, tick, isIdle) {
  const [answer, setAnswer] = useState({ found: null, isLost: false });
  const lastTick = useRef(tick);
  if (!isIdle) lastTick.current = tick;
  useEffect(() => {
    let isWanted = true;
    fetched(path).then(
      (found) => isWanted && setAnswer({ found, isLost: false }),
      () => isWanted && setAnswer(({ found }) => ({ found, isLost: true })),
    );
    return () => (isWanted = false);
  }, [path, lastTick.current]);
  return answer;
}

/** Say whether an element can be seen, or nearly: what cannot need not be kept up. */
export function useSeen(element) {
  const [isSeen, setSeen] = useState(true);
  useEffect(() => {
    const watch = new IntersectionObserver(([entry]) => setSeen(entry.isIntersecting), { rootMargin: "200px" });
    watch.observe(element.current);
    return () => watch.disconnect();
  }, []);
  return isSeen;
}

/** Return all entries of a list, up to 500. */
export function useAll(path, name) {
  const [all, setAll] = useState([]);
  useEffect(() => {
    let isWanted = true;
    const collect = async () => {
      const found = [];
      for (let page = 0; path && page < MOST_PAGES; page += 1) {
        const answer = await fetched(`${path}&offset=${page * PAGE}`);
        found.push(...answer[name]);
        if (found.length >= answer.total) break;
      }
      if (isWanted) setAll(found);
    };
    collect().catch(() => {});
    return () => (isWanted = false);
  }, [path]);
  return all;
}

/** Lead from page to page. */
export const Pager = ({ offset, total, onTurn }) => html`
  <p class="pages">
    <button type="button" disabled=${offset === 0} onClick=${() => onTurn(Math.max(0, offset - PAGE))}>${t("previous")}</button>
    <span>${t("page_of", { from: count(Math.min(total, offset + 1)), to: count(Math.min(total, offset + PAGE)), total: count(total) })}</span>
    <button type="button" disabled=${offset + PAGE >= total} onClick=${() => onTurn(offset + PAGE)}>${t("next")}</button>
  </p>
`;

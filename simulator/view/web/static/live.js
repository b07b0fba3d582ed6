// The run as it comes in: the latest document, rates between two of them, and the history that charts need.
import { useEffect, useState } from "./vendor/htm/standalone.module.js";

const HOPS = ["scheduled", "published", "acknowledged", "received", "written"];
const MOST_POINTS = 2000;
export const STALE_MS = 3000;

export const fetched = async (path) => {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
};

/** Send something as JSON. What is answered to what cannot be done becomes an error that says why. */
export const posted = async (path, what) => {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(what) });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error((said.problems ?? [`${path}: ${answer.status}`]).join("\n"));
  return said;
};

/** Return how fast each hop went between two documents; the rates before where no time has passed. */
function ratesOf(before, now, last) {
  const passed = before ? now.run.wall_s - before.run.wall_s : 0;
  if (passed <= 0) return last;
  return Object.fromEntries(HOPS.map((hop) => [hop, (now.messages[hop] - before.messages[hop]) / passed]));
}

/** Return the history with a point more; when it is full, every second one is left out. */
function grown(history, point) {
  const { wall_s: seen = [] } = history;
  if (seen.length && point.wall_s <= seen.at(-1)) return history;
  const isFull = seen.length >= MOST_POINTS;
  const grow = ([name, value]) => {
    const values = [...(history[name] ?? []), value];
    return [name, isFull ? values.filter((_, place) => place % 2 === values.length % 2) : values];
  };
  return Object.fromEntries(Object.entries(point).map(grow));
}

/** Follow the run: {document, rates, history, age}; document is null before the first. */
export function useLive() {
  const [live, setLive] = useState({ document: null, rates: {}, history: {}, at: Date.now() });
  const [age, setAge] = useState(0);

  useEffect(() => {
    let stream = null;
    let isOver = false;
    // after a break the points in between are at the server
    const caughtUp = () =>
      fetched("/history.json")
        .then((history) => history.wall_s && setLive((live) => ({ ...live, history })))
        .catch(() => {});
    const heard = ({ data }) => {
      const told = JSON.parse(data);
      isOver = told.run.over;
      if (isOver) stream.close();
      setAge(0);
      setLive((live) => ({
        document: told,
        rates: ratesOf(live.document, told, live.rates),
        history: grown(live.history, told.point),
        at: Date.now(),
      }));
    };
    // a browser has six connections to a server for all its pages: one that nobody sees lets go of its own
    const follow = () => {
      stream?.close();
      if (isOver || document.hidden) return;
      stream = new EventSource("/events");
      Object.assign(stream, { onopen: caughtUp, onmessage: heard });
    };
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => (stream?.close(), document.removeEventListener("visibilitychange", follow));
  }, []);

  useEffect(() => {
    const timer = setInterval(() => setAge(Date.now() - live.at), 500);
    return () => clearInterval(timer);
  }, [live.at]);

  return { ...live, age };
}

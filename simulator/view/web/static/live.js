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

/** Return a list for each figure of points. */
const columnsOf = (points) =>
  Object.fromEntries(Object.keys(points[0]).map((name) => [name, points.map((point) => point[name])]));

/** Follow the run: {document, rates, history, age}; document is null before the first. */
export function useLive() {
  const [live, setLive] = useState({ document: null, rates: {}, history: {}, at: Date.now() });
  const [age, setAge] = useState(0);

  useEffect(() => {
    const stream = new EventSource("/events");
    // after a break the points in between are at the server
    stream.onopen = () =>
      fetched("/history.json")
        .then((points) => points.length && setLive((live) => ({ ...live, history: columnsOf(points) })))
        .catch(() => {});
    stream.onmessage = ({ data }) => {
      const document = JSON.parse(data);
      if (document.run.over) stream.close();
      setAge(0);
      setLive((live) => ({
        document,
        rates: ratesOf(live.document, document, live.rates),
        history: grown(live.history, document.point),
        at: Date.now(),
      }));
    };
    return () => stream.close();
  }, []);

  useEffect(() => {
    const timer = setInterval(() => setAge(Date.now() - live.at), 500);
    return () => clearInterval(timer);
  }, [live.at]);

  return { ...live, age };
}

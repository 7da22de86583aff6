/** One answer of the API as component state: what is known, whether more is coming, what went wrong. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { ApiError, type Problem, read } from "./api";

export interface Resource<Answer> {
  /** The newest answer; while another period loads, still the one before. */
  readonly answer: Answer | null;
  readonly problem: Problem | null;
  readonly loading: boolean;
  readonly reload: () => void;
}

const FRESH_FOR_MS = 60_000;
const KEPT_ANSWERS = 24;

/** Answers by path, so that going back is immediate. Revalidated each time; the API sends ETags. */
const answers = new Map<string, unknown>();

function keep(path: string, answer: unknown): void {
  answers.delete(path);
  answers.set(path, answer);
  const oldest = answers.keys().next();
  if (answers.size > KEPT_ANSWERS && !oldest.done) answers.delete(oldest.value);
}

/** Reads `path` and again when it changes; null reads nothing. */
export function useResource<Answer>(path: string | null): Resource<Answer> {
  const [attempt, setAttempt] = useState(0);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [loading, setLoading] = useState(path !== null);
  const readAt = useRef(0);

  useEffect(() => {
    if (path === null) {
      setAnswer(null);
      setProblem(null);
      setLoading(false);
      return;
    }
    const stop = new AbortController();
    const kept = answers.get(path) as Answer | undefined;
    if (kept !== undefined) setAnswer(kept);
    setProblem(null);
    setLoading(kept === undefined);
    read<Answer>(path, stop.signal)
      .then((fresh) => {
        keep(path, fresh);
        readAt.current = Date.now();
        setAnswer(fresh);
        setLoading(false);
      })
      .catch((error: unknown) => {
        if (stop.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        setProblem(error.problem);
        setLoading(false);
      });
    return () => stop.abort();
  }, [path, attempt]);

  const reload = useCallback(() => setAttempt((count) => count + 1), []);

  useEffect(() => {
    // A tab left open shows yesterday's numbers: look again when the reader comes back to it.
    const onVisible = () => {
      const old = Date.now() - readAt.current > FRESH_FOR_MS;
      if (document.visibilityState === "visible" && old) reload();
    };
    document.addEventListener("visibilitychange", onVisible);
    return () => document.removeEventListener("visibilitychange", onVisible);
  }, [reload]);

  return { answer, problem, loading, reload };
}

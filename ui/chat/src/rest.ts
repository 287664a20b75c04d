const HIDDEN_LIMIT_MS = 60_000;

/**
 * A browser opens about six lines to one server: many tabs would use them up and none could send any more.
 * Of all tabs that have been hidden for a minute one keeps its line (its title counts new messages), the others rest.
 */
export function restWhenHidden(lockName: string, rest: () => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let release: (() => void) | undefined;

  const keepOrRest = (): void => {
    if (!navigator.locks) return rest();
    const held = (lock: Lock | null): Promise<void> | void =>
      lock ? new Promise<void>((resolve) => (release = resolve)) : rest();
    navigator.locks.request(lockName, { ifAvailable: true }, held).catch(rest);
  };

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    release?.();
    if (document.visibilityState === "hidden") timer = setTimeout(keepOrRest, HIDDEN_LIMIT_MS);
  });
}

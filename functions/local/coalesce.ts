/** A job that never runs twice at once: asked for while it runs, it runs once more afterwards. */
export type Coalesced = {
  /** Asks for a run. */
  (): void;
  /** Resolves when no run is under way or asked for. */
  idle(): Promise<void>;
};

/** Makes a job coalesce; what it throws goes to `failed`. */
export function coalesce(run: () => Promise<unknown>, failed: (error: unknown) => void): Coalesced {
  // One run that fails, or whose failure cannot even be said, must not be the last.
  const once = async () => {
    try {
      await run();
    } catch (error) {
      failed(error);
    }
  };
  let wanted = false;
  let running: Promise<void> | undefined;
  const loop = async () => {
    while (wanted) {
      wanted = false;
      await once().catch(() => {});
    }
    running = undefined;
  };
  return Object.assign(
    () => {
      wanted = true;
      running ??= loop();
    },
    { idle: async () => running },
  );
}

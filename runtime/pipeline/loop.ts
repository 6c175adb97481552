export interface Loop {
  /** Runs until the signal is aborted (then everything taken is sent and committed) or an error ends it, which it throws. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when it is so: nothing is polled any more, or all goes on. */
  setPaused(paused: boolean): Promise<void>;
}

export interface Loop {
  /** Runs until the signal is aborted (then everything taken is sent and committed) or an error ends it, which it throws. */
  run(signal: AbortSignal): Promise<void>;
  setPaused(paused: boolean): Promise<void>;
}

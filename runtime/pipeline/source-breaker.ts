/** Whether the way to the log is broken, for good; whoever waits hears of it. */
export class Breaker {
  readonly #onBroken: () => void;
  #waiting: ((error: Error) => void) | undefined;
  #failure: Error | undefined;

  /** `onBroken` is called once, with the first failure. */
  constructor(onBroken: () => void) {
    this.#onBroken = onBroken;
  }

  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#onBroken();
    this.#waiting?.(error);
  }

  throwIfBroken(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * What `work` resolves with, unless it breaks meanwhile: then it rejects with the reason. Not `Promise.race`
   * against one lasting promise, which would keep the result of every race.
   */
  unlessBroken<T>(work: Promise<T>): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise<T>((resolve, reject) => {
      this.#waiting = reject;
      work.then(resolve, reject).finally(() => (this.#waiting = undefined));
    });
  }
}

/** Where progress is written; standard output, as a rule. */
export interface Screen {
  write(text: string): unknown;
}

/**
 * Says what is being done before it is, shows that it goes on when it takes longer than a second, and how long it
 * took. What `work` rejects with passes through.
 */
export async function step<T>(screen: Screen, what: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  screen.write(what);
  const dots = setInterval(() => screen.write('.'), 1_000);
  try {
    const result = await work();
    screen.write(` ${((performance.now() - began) / 1_000).toFixed(1)} s\n`);
    return result;
  } catch (error) {
    screen.write('\n');
    throw error;
  } finally {
    clearInterval(dots);
  }
}

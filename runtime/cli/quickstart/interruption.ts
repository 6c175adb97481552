/** A Ctrl-C reaches us twice, from the terminal and from npm, which passes it on. */
const echoMs = 1_500;

/** Aborted when the program is asked to end. Asked again, it ends at once; the database goes down in any case. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  let askedAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const now = performance.now();
      if (askedAt !== undefined && now - askedAt > echoMs) process.exit(130);
      askedAt ??= now;
      controller.abort();
    });
  }
  return controller.signal;
}

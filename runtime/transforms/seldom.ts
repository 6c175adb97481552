const quietMs = 10_000;

/**
 * A log line that each record may ask for, written once in ten seconds at most; the next one says how many were
 * left out in between.
 */
export function seldom(write: (message: string) => void): (message: () => string) => void {
  let writtenMs = -Infinity;
  let leftOut = 0;
  return (message) => {
    const now = performance.now();
    if (now - writtenMs < quietMs) {
      leftOut++;
      return;
    }
    write(leftOut === 0 ? message() : `${message()} (and ${leftOut} times more since the last time)`);
    writtenMs = now;
    leftOut = 0;
  };
}

/** The one clock of the machine that all its processes and threads share (CLOCK_MONOTONIC), in milliseconds. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/**
 * How a worker's rebalances went, under Connect's names. Sources: DistributedHerder.HerderMetrics
 * (connect-worker-rebalance-metrics), AbstractCoordinator and WorkerCoordinator (connect-coordinator-metrics).
 */
import type { MembershipFigures } from '../ports/membership.ts';

export interface GroupFigures {
  /** A rebalance is known of; further calls until it is over change nothing. */
  began(): void;
  /** This worker has its share. */
  completed(): void;
  /** The connect-worker-rebalance-metrics that are counted, and last-rebalance-seconds-ago. */
  read(): MembershipFigures;
}

export function createGroupFigures(now: () => number = () => performance.now()): GroupFigures {
  let beganAt: number | undefined;
  let completedAt: number | undefined;
  let [count, totalMs, longestMs] = [0, 0, 0];
  return {
    began() {
      beganAt ??= now();
    },
    completed() {
      completedAt = now();
      const tookMs = completedAt - (beganAt ?? completedAt);
      beganAt = undefined;
      count++;
      totalMs += tookMs;
      longestMs = Math.max(longestMs, tookMs);
    },
    read() {
      const sinceMs = completedAt === undefined ? undefined : Math.round(now() - completedAt);
      return {
        rebalancing: beganAt === undefined ? 0 : 1,
        'completed-rebalances-total': count,
        'rebalance-max-time-ms': Math.round(longestMs),
        'rebalance-avg-time-ms': count === 0 ? 0 : Math.round(totalMs / count),
        'last-rebalance-seconds-ago': sinceMs === undefined ? -1 : Math.floor(sinceMs / 1000),
        ...(sinceMs === undefined ? {} : { 'time-since-last-rebalance-ms': sinceMs }),
      };
    },
  };
}

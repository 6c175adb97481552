/**
 * Bulk requests under way at once, while the order of each document holds: a document always goes through the same
 * lane, and a lane has one request under way, retries included.
 */
import { javaHash } from '@millrace/runtime/api';
import type { ByteSink } from '@millrace/runtime/api';

import { BatchBuilder } from './bulk-batch.ts';
import type { BatchLimits, BulkBatch } from './bulk-batch.ts';
import type { Delivery } from './delivery.ts';
import type { Operation } from './operation.ts';

export interface LaneParts {
  readonly count: number;
  readonly limits: BatchLimits;
  readonly lingerMs: number;
  readonly deliver: Delivery;
  readonly write: (out: ByteSink, operation: Operation) => void;
  /** A delivery failed; no lane sends anything more. */
  failed(error: unknown): void;
}

export interface Lanes {
  /** Appends the operation to its lane; throws what writing it throws, and then it is in none. */
  add(operation: Operation): void;
  /** Lets nothing linger. */
  flush(): void;
  stop(): void;
}

interface Lane {
  readonly filling: BatchBuilder;
  readonly full: BulkBatch[];
  busy: boolean;
  /** Whatever is in `filling` goes out as soon as the lane is free. */
  hurry: boolean;
  timer: NodeJS.Timeout | undefined;
}

export function bulkLanes(parts: LaneParts): Lanes {
  const { count, limits, lingerMs, deliver, write } = parts;
  const lanes = Array.from({ length: count }, (): Lane => ({
    filling: new BatchBuilder(limits),
    full: [],
    busy: false,
    hurry: false,
    timer: undefined,
  }));
  let stopped = false;
  let turn = 0;

  function next(lane: Lane): BulkBatch | undefined {
    const full = lane.full.shift();
    if (full !== undefined) return full;
    if (lane.filling.size === 0) {
      lane.hurry = false;
      return undefined;
    }
    const leftMs = lane.filling.sinceMs + lingerMs - performance.now();
    if (!lane.hurry && leftMs > 0) {
      lane.timer ??= setTimeout(() => {
        lane.timer = undefined;
        send(lane);
      }, leftMs);
      return undefined;
    }
    lane.hurry = false;
    return lane.filling.take();
  }

  function send(lane: Lane): void {
    if (lane.busy || stopped) return;
    const batch = next(lane);
    if (batch === undefined) return;
    lane.busy = true;
    deliver(batch).then(
      () => {
        lane.busy = false;
        send(lane);
      },
      (error: unknown) => {
        stopped = true;
        parts.failed(error);
      },
    );
  }

  /** Records that share no document fill one lane after the other: fewer, larger requests. */
  function laneOf({ id, shared }: Operation): Lane {
    if (shared && id !== null) return lanes[(javaHash(id) >>> 0) % count] as Lane;
    return lanes[turn] as Lane;
  }

  return {
    add(operation) {
      const lane = laneOf(operation);
      const full = lane.filling.add(operation, write);
      if (full !== undefined) lane.full.push(full);
      if (lane.filling.isFull) lane.full.push(lane.filling.take());
      if (lane.full.length > 0 && !operation.shared) turn = (turn + 1) % count;
      send(lane);
    },
    flush() {
      for (const lane of lanes) {
        lane.hurry = true;
        send(lane);
      }
    },
    stop() {
      stopped = true;
      for (const lane of lanes) clearTimeout(lane.timer);
    },
  };
}

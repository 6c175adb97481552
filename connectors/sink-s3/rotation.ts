/**
 * When the files of a topic partition are closed. Everything but the clock's two rules follows from the records,
 * so that records which come again make the same files. Source: io.confluent.connect.s3.TopicPartitionWriter.
 */
import { nextScheduled } from './partitioning/time-zone.ts';
import type { TimeZone } from './partitioning/time-zone.ts';

export interface RotationSettings {
  readonly flushSize: number;
  /** Each null when off. */
  readonly intervalMs: number | null;
  readonly onPartitionChange: boolean;
  readonly openFiles: number | null;
  readonly wallClockMs: number | null;
  readonly schedule: { readonly intervalMs: number; readonly zone: TimeZone } | null;
  /** The folder of tombstones, which does not count as a change of partition; null where none are written. */
  readonly tombstoneFolder: string | null;
}

/** What rotation knows of the open files of a topic partition. */
export interface OpenSpan {
  readonly firstTimestampMs: number | null;
  readonly lastEncodedPartition: string;
}

/** Whether the record's time or folder closes the files before it. */
export function closesBefore(span: OpenSpan, timestampMs: number | null, encodedPartition: string, settings: RotationSettings): boolean {
  const { intervalMs } = settings;
  if (intervalMs === null || timestampMs === null || span.firstTimestampMs === null) return false;
  if (timestampMs - span.firstTimestampMs >= intervalMs) return true;
  return settings.onPartitionChange && changesFolder(span.lastEncodedPartition, encodedPartition, settings);
}

function changesFolder(last: string, next: string, { tombstoneFolder }: RotationSettings): boolean {
  if (tombstoneFolder !== null && (last === tombstoneFolder || next === tombstoneFolder)) return false;
  return last !== next;
}

/** The time by the clock at which the files are closed whatever comes; Infinity without such a rule. */
export function dueAtMs(openedAtMs: number, { wallClockMs, schedule }: RotationSettings): number {
  const byAge = wallClockMs === null ? Number.POSITIVE_INFINITY : openedAtMs + wallClockMs;
  return schedule === null ? byAge : Math.min(byAge, nextScheduled(openedAtMs, schedule.intervalMs, schedule.zone));
}

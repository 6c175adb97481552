/** How long after its COMMIT a row can be read in the topic, at a steady rate of transactions. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { LatencyArrivals, LatencyReading } from './latency-reader.ts';
import type { LatencyCommits, LatencyLoad } from './latency-writer.ts';
import { cpuSeconds } from './proc.ts';

export interface LatencyOptions {
  readonly url: string;
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly pid: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** Not counted. */
  readonly warmUpSeconds: number;
  readonly firstId: number;
}

export interface Latency {
  readonly perSecond: number;
  /** Transactions a second that the writer really had. */
  readonly reached: number;
  /** From after COMMIT had returned to the writer. */
  readonly fromCommit: Percentiles;
  /** From before the transaction was sent: no honest clock can say more. */
  readonly fromSend: Percentiles;
  readonly cpuMicrosPerRow: number;
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Writer and reader are threads of their own, in a process that is not the one measured. */
export async function measureLatency(options: LatencyOptions): Promise<Latency> {
  const { url, brokers, topic, pid, perSecond, seconds, warmUpSeconds, firstId } = options;
  const transactions = Math.round(perSecond * (seconds + warmUpSeconds));
  const reading: LatencyReading = { brokers: brokers.join(','), topic, records: transactions, firstId };
  const load: LatencyLoad = { url, perSecond, transactions, firstId };
  const reader = new Worker(new URL('latency-reader.ts', import.meta.url), { workerData: reading });
  await once(reader, 'message');
  const arrived = once(reader, 'message', { signal: AbortSignal.timeout((seconds + warmUpSeconds) * 10_000 + 60_000) });
  // Whoever fails first is awaited last.
  arrived.catch(() => {});
  const cpu = cpuSeconds(pid);
  try {
    const writer = new Worker(new URL('latency-writer.ts', import.meta.url), { workerData: load });
    const [{ sentMs, committedMs }] = (await once(writer, 'message')) as [LatencyCommits];
    const [{ arrivedMs }] = (await arrived) as [LatencyArrivals];
    const skipped = Math.round(perSecond * warmUpSeconds);
    const since = (begins: Float64Array): Percentiles => percentiles(arrivedMs.map((at, index) => at - begins[index]!).slice(skipped));
    return {
      perSecond,
      reached: ((transactions - skipped - 1) / (committedMs.at(-1)! - committedMs[skipped]!)) * 1000,
      fromCommit: since(committedMs),
      fromSend: since(sentMs),
      cpuMicrosPerRow: ((cpuSeconds(pid) - cpu) / transactions) * 1e6,
    };
  } finally {
    await reader.terminate();
  }
}

function percentiles(values: Float64Array): Percentiles {
  values.sort();
  const at = (share: number): number => values[Math.min(values.length - 1, Math.floor(values.length * share))]!;
  return { p50: at(0.5), p99: at(0.99), max: values.at(-1)! };
}

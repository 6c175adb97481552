/**
 * A thread that notes when each row could be read in the topic. It reads through kcat: a consumer that is neither ours
 * nor the JVM's, with `fetch.min.bytes=1`, so that the broker answers as soon as there is one record.
 */
import { spawn } from 'node:child_process';
import { parentPort, workerData } from 'node:worker_threads';
import { requireCommand } from '../test/services/command.ts';
import { monotonicMs } from './latency-clock.ts';

export interface LatencyReading {
  readonly brokers: string;
  readonly topic: string;
  readonly records: number;
  readonly firstId: number;
}

export interface LatencyArrivals {
  /** In the order of the ids, on the clock of `monotonicMs`; 0 for what did not come. */
  readonly arrivedMs: Float64Array;
}

const { brokers, topic, records, firstId } = workerData as LatencyReading;
const options = ['fetch.min.bytes=1', 'socket.nagle.disable=true'].flatMap((option) => ['-X', option]);
const kcat = spawn(
  await requireCommand('kcat', 'kcat'),
  ['-b', brokers, '-C', '-t', topic, '-p', '0', '-o', 'end', '-u', ...options, '-f', '%k\n'],
  { stdio: ['ignore', 'pipe', 'pipe'] },
);
const arrivedMs = new Float64Array(records);
let left = records;
let rest = '';
let complaints = '';
let ready = false;

kcat.stderr.on('data', (chunk: Buffer) => {
  complaints += chunk.toString();
  // Said once it stands at the end of the topic: what is committed from now on is read.
  if (ready || !complaints.includes('Reached end of topic')) return;
  ready = true;
  parentPort!.postMessage('ready');
});
kcat.stdout.on('data', (chunk: Buffer) => {
  const now = monotonicMs();
  const lines = (rest + chunk.toString()).split('\n');
  rest = lines.pop()!;
  for (const line of lines) {
    const index = Number(/\d+/.exec(line)?.[0]) - firstId;
    if (!(index >= 0 && index < records) || arrivedMs[index] !== 0) continue;
    arrivedMs[index] = now;
    left--;
  }
  if (left > 0) return;
  kcat.kill();
});
kcat.once('close', () => {
  if (left > 0) throw new Error(`kcat ended before ${left} of ${records} records had come: ${complaints}`);
  const arrivals: LatencyArrivals = { arrivedMs };
  parentPort!.postMessage(arrivals);
});

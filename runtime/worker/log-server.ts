/** The log thread's side of the Log port: serves one MessagePort; everything opened over it is closed with it. */
import type { MessagePort } from 'node:worker_threads';
import { ConnectError } from '../api/index.ts';
import type { PartitionOffset, TopicPartition } from '../api/index.ts';
import type {
  FetchedRun,
  FetchLimits,
  GroupOptions,
  Log,
  LogGroup,
  LogProducer,
  LogReader,
  OutboundBatch,
  ProducerOptions,
  ReaderOptions,
  TransactionalOptions,
  TransactionalProducer,
} from '../ports/log.ts';
import { Handover, serveCalls } from './rpc.ts';
import type { Offered } from './rpc.ts';

export interface ServedPort {
  /** Closes all producers, readers and groups opened over this port; nothing of them is written afterwards. */
  release(): Promise<void>;
}

export function serveLog(log: Log, port: MessagePort): ServedPort {
  const opened = new Map<number, LogProducer | LogReader | LogGroup>();
  let next = 0;
  let released: Promise<void> | undefined;
  const opening = new Set<Promise<unknown>>();

  const keep = async (open: () => Promise<LogProducer | LogReader | LogGroup>): Promise<number> => {
    if (released !== undefined) throw new ConnectError('this port to the log was closed');
    const handle = ++next;
    const begun = open();
    opening.add(begun);
    try {
      opened.set(handle, await begun);
      return handle;
    } finally {
      opening.delete(begun);
    }
  };
  const of = <T>(handle: number): T => {
    const found = opened.get(handle);
    if (found === undefined) throw new ConnectError('this producer or reader of the log was closed');
    return found as T;
  };
  const release = async (): Promise<void> => {
    await Promise.allSettled(opening);
    await Promise.allSettled([...opened.values()].map((handle) => handle[Symbol.asyncDispose]()));
    opened.clear();
  };

  const admin = [
    'clusterId',
    'describeTopics',
    'topicConfig',
    'createTopics',
    'deleteTopics',
    'offsetsAt',
    'groupOffsets',
    'alterGroupOffsets',
    'deleteGroup',
    'fenceProducers',
  ] as const;
  const offered: Offered = {
    ...Object.fromEntries(
      admin.map((method) => [
        method,
        (_signal: AbortSignal, ...args: never[]) => (log[method] as (...args: never[]) => Promise<unknown>).apply(log, args),
      ]),
    ),
    openProducer: async (_signal, options: ProducerOptions) => keep(() => log.openProducer(options)),
    openTransactionalProducer: async (_signal, options: TransactionalOptions) => keep(() => log.openTransactionalProducer(options)),
    openReader: async (_signal, options: ReaderOptions) => keep(() => log.openReader(options)),
    openGroup: async (_signal, options: GroupOptions) => keep(() => log.openGroup(options)),
    append: async (_signal, handle: number, batches: readonly OutboundBatch[]) => {
      const appended = await of<LogProducer>(handle).append(batches);
      return new Handover(
        appended,
        appended.map(({ buffer }) => buffer),
      );
    },
    commitTransaction: (_signal, handle: number) => of<TransactionalProducer>(handle).commitTransaction(),
    abortTransaction: (_signal, handle: number) => of<TransactionalProducer>(handle).abortTransaction(),
    fetch: async (signal, handle: number, limits: FetchLimits) => handover(await of<LogReader>(handle).fetch(limits, signal)),
    poll: async (signal, handle: number, limits: FetchLimits) => {
      const event = await of<LogGroup>(handle).poll(limits, signal);
      return event.kind === 'records' ? new Handover(event, buffersOf(event.runs)) : event;
    },
    assign: (_signal, handle: number, positions: readonly PartitionOffset[]) => of<LogReader>(handle).assign(positions),
    commit: (_signal, handle: number, offsets: readonly PartitionOffset[], batches: readonly OutboundBatch[]) =>
      of<LogGroup>(handle).commit(offsets, batches),
    seek: (_signal, handle: number, offsets: readonly PartitionOffset[]) => of<LogGroup>(handle).seek(offsets),
    pause: (_signal, handle: number, partitions: readonly TopicPartition[]) => of<LogGroup>(handle).pause(partitions),
    resume: (_signal, handle: number, partitions: readonly TopicPartition[]) => of<LogGroup>(handle).resume(partitions),
    close: async (_signal, handle: number) => {
      const found = opened.get(handle);
      opened.delete(handle);
      await found?.[Symbol.asyncDispose]();
    },
  };
  serveCalls(port, offered);
  const served = { release: () => (released ??= release()) };
  port.on('close', () => void served.release());
  return served;
}

function buffersOf(runs: readonly FetchedRun[]): ArrayBuffer[] {
  return runs.map(({ buffer }) => buffer);
}

function handover(runs: readonly FetchedRun[]): Handover {
  return new Handover(runs, buffersOf(runs));
}

/** A task that alone writes its files: each record is one line, once, whatever comes again. */
import { ConnectError } from '@millrace/runtime/api';
import type { ByteSink, PartitionOffset, SinkRecord, SinkTask, SinkTaskContext, TopicPartition } from '@millrace/runtime/api';
import type { DataFile } from './data-file.ts';
import { giveRoom, takeRoom, writeLine } from './lines.ts';
import type { Place } from './position-entries.ts';
import { opened } from './positions.ts';

export interface OwnFilesOptions {
  readonly context: SinkTaskContext;
  /** The one file of all partitions, or how each one's own is opened, which may throw a ConnectError. */
  readonly files: DataFile | ((partition: TopicPartition) => DataFile);
  /** Lines may wait until offsets are committed. */
  readonly gather: boolean;
}

/** Bytes that are gathered before they are written. */
const writeAt = 1 << 20;

/** Lines that wait to be written to one file. */
interface Gathered {
  readonly file: DataFile;
  /** Undefined while there are none. */
  lines: ByteSink | undefined;
  limit: number;
  readonly touched: Set<Partition>;
}

interface Partition extends TopicPartition {
  readonly gathered: Gathered;
  /** Below it, all is in the file. */
  next: bigint | undefined;
}

export function ownFilesTask({ context, files: given, gather }: OwnFilesOptions): SinkTask {
  const partitions = new Map<string, Map<number, Partition>>();
  const files = new Map<DataFile, Gathered>();
  let timer: NodeJS.Timeout | undefined;
  const single = typeof given === 'function' ? undefined : addFile(given);

  function addFile(file: DataFile): Gathered {
    const found = files.get(file);
    if (found !== undefined) return found;
    const gathered: Gathered = { file, lines: undefined, limit: Math.min(writeAt, file.room), touched: new Set() };
    files.set(file, gathered);
    return gathered;
  }

  function openPartition(at: PartitionOffset): void {
    const { topic, partition } = at;
    const gathered = typeof given === 'function' ? addFile(given(at)) : addFile(given);
    const topicId = context.topicId(topic);
    const { position, kind } = opened(gathered.file.positions.get(at), at, topicId);
    gathered.file.opened([position]);
    tell(kind, at, position.next);
    const ofTopic = partitions.get(topic) ?? new Map<number, Partition>();
    ofTopic.set(partition, { topic, partition, gathered, next: position.next });
    partitions.set(topic, ofTopic);
  }

  function tell(kind: ReturnType<typeof opened>['kind'], { topic, partition, offset }: PartitionOffset, next: bigint | undefined): void {
    const where = `connector ${context.connector}: partition ${partition} of topic ${topic}`;
    if (kind === 'replay')
      context.log.info(`${where}: offsets ${offset} to ${(next ?? 0n) - 1n} are in the file already, and are left out`);
    else if (kind === 'altered') context.log.warn(`${where}: its offset was set to ${offset}, so records are written again from there on`);
    else if (kind === 'other topic')
      context.log.warn(`${where}: the topic is another one than before, and is written from offset ${offset} on`);
  }

  function partitionOf(record: SinkRecord): Partition {
    const topic = record.originalTopic ?? record.topic;
    const found = partitions.get(topic)?.get(record.partition);
    if (found !== undefined) return found;
    throw new ConnectError(
      `connector ${context.connector}: a record of topic ${topic}, partition ${record.partition}, came to a task that was not given that partition.`,
    );
  }

  function write(gathered: Gathered): void {
    const { file, touched, lines } = gathered;
    if (lines === undefined) return;
    gathered.lines = undefined;
    const next = [...touched].map((entry): Place => [entry.topic, entry.partition, entry.next ?? 0n]);
    touched.clear();
    file.append(lines.written(), next);
    giveRoom(lines);
    file.rotateIfDue();
    gathered.limit = Math.min(writeAt, file.room);
  }

  /** A file whose time has come is put aside even when nothing more is written to it. */
  function watchTheClock(): void {
    clearTimeout(timer);
    const atMs = Math.min(...[...files.keys()].map(({ rotateAtMs }) => rotateAtMs));
    if (atMs === Infinity) return;
    timer = setTimeout(rotateDue, Math.min(Math.max(50, atMs - Date.now()), 0x7fffffff)).unref();
  }

  function rotateDue(): void {
    try {
      for (const gathered of files.values()) {
        write(gathered);
        gathered.file.rotateIfDue();
      }
      watchTheClock();
    } catch (error) {
      context.fail(error as Error);
    }
  }

  async function settle(offsets: readonly PartitionOffset[]): Promise<void> {
    for (const [file, gathered] of files) {
      write(gathered);
      const mine = offsets.filter(({ topic, partition }) => partitions.get(topic)?.get(partition)?.gathered === gathered);
      await file.sync(mine.map(({ topic, partition, offset }): Place => [topic, partition, offset]));
      file.rotateIfDue();
    }
    watchTheClock();
  }

  return {
    async open(assigned) {
      for (const at of assigned) openPartition(at);
    },
    async put(records) {
      let last: Partition | undefined;
      for (const record of records) {
        if (last?.partition !== record.partition || last.topic !== (record.originalTopic ?? record.topic)) last = partitionOf(record);
        if (last.next !== undefined && record.offset < last.next) continue;
        const { gathered } = last;
        const lines = (gathered.lines ??= takeRoom());
        writeLine(record, lines);
        last.next = record.offset + 1n;
        gathered.touched.add(last);
        if (lines.position >= gathered.limit) write(gathered);
      }
      if (!gather) for (const gathered of files.values()) write(gathered);
      watchTheClock();
    },
    async preCommit(offsets) {
      await settle(offsets);
      return offsets;
    },
    async close(lost) {
      for (const at of lost) {
        const found = partitions.get(at.topic)?.get(at.partition);
        if (found === undefined) continue;
        partitions.get(at.topic)?.delete(at.partition);
        if (single !== undefined) continue;
        files.delete(found.gathered.file);
        try {
          write(found.gathered);
          await found.gathered.file.sync([]);
        } finally {
          await found.gathered.file[Symbol.asyncDispose]();
        }
      }
      watchTheClock();
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      for (const file of files.keys()) await file[Symbol.asyncDispose]();
    },
  };
}

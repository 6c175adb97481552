import { noHeaders, schemas } from '@millrace/runtime/api';
import type { OffsetMap, SourceRecord, SourceTask, SourceTaskContext } from '@millrace/runtime/api';
import { openInput } from './input.ts';
import type { Input } from './input.ts';
import { lineSplitter } from './line-splitter.ts';
import type { Line } from './line-splitter.ts';
import { setTimeout as sleep } from 'node:timers/promises';

export interface FileSourceOptions {
  /** Null reads the standard input. */
  readonly file: string | null;
  readonly topic: string;
  readonly batchSize: number;
  /** Bytes of the file that were dealt with before. */
  readonly position: number;
  readonly context: SourceTaskContext;
}

const waitForDataMs = 200;
const waitForFileMs = 1000;

export function lineRecord(topic: string, sourcePartition: OffsetMap, line: Line): SourceRecord {
  return {
    topic,
    partition: null,
    keySchema: null,
    key: null,
    valueSchema: schemas.string,
    value: line.text,
    timestamp: Date.now(),
    headers: noHeaders,
    sourcePartition,
    sourceOffset: { position: line.endPosition },
  };
}

export function fileSourceTask({ file, topic, batchSize, position, context }: FileSourceOptions): SourceTask {
  const lines = lineSplitter(position);
  const sourcePartition: OffsetMap = { filename: file };
  let input: Input | undefined;
  let warned = false;

  function take(into: SourceRecord[]): void {
    while (into.length < batchSize) {
      const line = lines.next();
      if (line === undefined) return;
      into.push(lineRecord(topic, sourcePartition, line));
    }
  }

  async function wait(ms: number, signal: AbortSignal): Promise<void> {
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }

  return {
    async poll(signal) {
      const records: SourceRecord[] = [];
      // Lines read before come first; the file is asked only once they are used up.
      take(records);
      if (records.length > 0) return records;
      input ??= await openInput(file, position, context.connector);
      if (input === undefined) {
        if (!warned) context.log.warn(`connector ${context.connector}: couldn't find file ${file}, sleeping to wait for it to be created`);
        warned = true;
        await wait(waitForFileMs, signal);
        return records;
      }
      const chunk = await input.read(signal);
      if (chunk === undefined) {
        await wait(waitForDataMs, signal);
        return records;
      }
      lines.push(chunk);
      take(records);
      return records;
    },
    async [Symbol.asyncDispose]() {
      await input?.[Symbol.asyncDispose]();
    },
  };
}

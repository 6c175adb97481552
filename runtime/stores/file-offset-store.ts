/** Source offsets in Connect's standalone file. Source: org.apache.kafka.connect.storage.FileOffsetBackingStore. */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError, ConnectError } from '../api/index.ts';
import type { ConnectorOffsetStore, OffsetStore } from '../ports/stores.ts';
import { decodeByteMap, encodeByteMap } from './java-hash-map.ts';
import type { ByteEntry } from './java-hash-map.ts';
import { createOffsetTable } from './offset-table.ts';

/** The whole file is replaced at each write; writes that come together share one. */
export function fileOffsetStore(path: string): OffsetStore {
  const table = createOffsetTable();
  let saving: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;

  function save(): Promise<void> {
    queued ??= saving.then(async () => {
      queued = undefined;
      const entries = [...table.raw()].map(({ key, value }): ByteEntry => [key, value]);
      await replaceFile(path, encodeByteMap(entries));
    });
    saving = queued.catch(() => {});
    return queued;
  }

  const ofConnector: ConnectorOffsetStore = {
    async read(connector, partitions) {
      return partitions.map((partition) => table.get(connector, partition));
    },
    async all(connector) {
      return table.all(connector);
    },
    async keys(connector, partitions) {
      return partitions.map((partition) => table.keyOf(connector, partition));
    },
    async write(connector, offsets) {
      const writtenMs = Date.now();
      for (const { key, value } of table.encode(connector, offsets)) table.apply(key, value, writtenMs);
      await save();
    },
    async [Symbol.asyncDispose]() {},
  };

  return {
    ...ofConnector,
    // Connect's standalone worker passes over offsets.storage.topic too.
    forConnector: async () => ofConnector,
    async start() {
      const bytes = await contentOf(path);
      if (bytes.length === 0) return;
      let entries: ByteEntry[];
      try {
        entries = decodeByteMap(bytes);
      } catch (cause) {
        throw new ConfigError(`offset file ${path}: ${(cause as Error).message}.`, {
          cause,
          hint: 'Name the file of a standalone Connect worker, or a new one, in offset.storage.file.filename.',
        });
      }
      for (const [key, value] of entries) if (key !== null && value !== null) table.apply(key, value, 0);
    },
    async [Symbol.asyncDispose]() {
      await saving;
    },
  };
}

async function contentOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw new ConfigError(`offset file ${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** After a power loss the old content is there, or the new; never a part. */
async function replaceFile(path: string, content: Buffer): Promise<void> {
  const folder = dirname(path);
  const fresh = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(folder, { recursive: true });
    {
      await using file = await open(fresh, 'w');
      await file.writeFile(content);
      await file.sync();
    }
    await rename(fresh, path);
    await using directory = await open(folder, 'r');
    await directory.sync();
  } catch (cause) {
    throw new ConnectError(`offset file ${path} cannot be written: ${(cause as Error).message}`, { cause });
  }
}

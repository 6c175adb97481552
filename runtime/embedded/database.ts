import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';

import { ConfigError } from '../api/index.ts';
import { lockDirectory } from './directory-lock.ts';
import { storageError } from './storage-error.ts';

/** What is kept when the power goes; see docs/decisions/0006-embedded-log-durability.md. kill -9 loses nothing in either. */
export type Synchronous = 'full' | 'normal';

export interface DatabaseOptions {
  readonly readOnly: boolean;
  readonly synchronous: Synchronous;
}

const schemaVersion = 1;
/** Large pages: batches are large, and each page of one costs a frame in the WAL. */
const pageBytes = 16_384;
const checkpointBytes = 32 << 20;
const cacheBytes = 16 << 20;

const schema = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE topics (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, uuid TEXT NOT NULL, config TEXT NOT NULL,
  created_ms INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX topics_by_name ON topics (name) WHERE deleted = 0;
-- next_offset is a floor: appends do not write it, the last batch tells; removing batches does.
CREATE TABLE partitions (
  id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, partition INTEGER NOT NULL,
  start_offset INTEGER NOT NULL DEFAULT 0, next_offset INTEGER NOT NULL DEFAULT 0,
  cleaned_offset INTEGER NOT NULL DEFAULT 0, UNIQUE (topic_id, partition)
);
-- body is the record batch in Kafka's format. tombstones_ms: since when its tombstones have been in the compacted part.
CREATE TABLE batches (
  id INTEGER PRIMARY KEY, partition_id INTEGER NOT NULL, base_offset INTEGER NOT NULL, last_offset INTEGER NOT NULL,
  max_timestamp INTEGER NOT NULL, bytes INTEGER NOT NULL, tombstones_ms INTEGER, body BLOB NOT NULL
);
CREATE UNIQUE INDEX batches_by_offset ON batches (partition_id, last_offset, bytes, max_timestamp);
CREATE INDEX batches_with_tombstones ON batches (partition_id, tombstones_ms) WHERE tombstones_ms IS NOT NULL;
CREATE TABLE group_offsets (
  group_id TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL,
  committed_ms INTEGER NOT NULL, PRIMARY KEY (group_id, topic, partition)
) WITHOUT ROWID;
PRAGMA user_version = ${schemaVersion};`;

/** The one connection to `millrace.db`. Integers come back as bigint. */
export interface Database extends Disposable {
  readonly path: string;
  /** The statement for this text, prepared once. Holds no state between calls, save while it is iterated. */
  statement(sql: string): StatementSync;
  exec(sql: string): void;
  /** Whether a transaction is open. */
  inTransaction(): boolean;
}

/** Opens the file in this directory, and makes both where they are missing. Throws a ConfigError that says why it cannot. */
export function openDatabase(directory: string, options: DatabaseOptions): Database {
  const path = join(directory, 'millrace.db');
  if (options.readOnly) {
    if (!existsSync(path)) {
      throw new ConfigError(`embedded log: there is no log in ${directory}.`, { hint: 'Start a worker on it first, or check the path.' });
    }
    return connect(path, options);
  }
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw storageError(error, 'making the directory', directory);
  }
  const lock = lockDirectory(directory, () => ownerOf(path));
  try {
    const database = connect(path, options);
    return {
      ...database,
      [Symbol.dispose]() {
        database[Symbol.dispose]();
        lock[Symbol.dispose]();
      },
    };
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

function connect(path: string, { readOnly, synchronous }: DatabaseOptions): Database {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly, timeout: 5000 });
    if (!readOnly) {
      // Page size and vacuum mode take effect in a file that is still empty only.
      db.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL`);
      db.exec(`PRAGMA synchronous = ${synchronous === 'full' ? 'FULL' : 'NORMAL'}`);
      db.exec(`PRAGMA wal_autocheckpoint = ${checkpointBytes / pageBytes}; PRAGMA journal_size_limit = ${checkpointBytes}`);
    }
    db.exec(`PRAGMA cache_size = -${cacheBytes / 1024}`);
    checkSchema(db, path, readOnly);
  } catch (error) {
    db?.close();
    throw storageError(error, 'opening', path);
  }
  const open = db;
  const statements = new Map<string, StatementSync>();
  return {
    path,
    statement(sql) {
      let statement = statements.get(sql);
      if (statement === undefined) {
        statement = open.prepare(sql);
        statement.setReadBigInts(true);
        statements.set(sql, statement);
      }
      return statement;
    },
    exec: (sql) => open.exec(sql),
    inTransaction: () => open.isTransaction,
    [Symbol.dispose]() {
      if (open.isOpen) open.close();
    },
  };
}

function checkSchema(db: DatabaseSync, path: string, readOnly: boolean): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version > schemaVersion) {
    throw new ConfigError(`embedded log: ${path} has format ${version}, this version knows ${schemaVersion}.`, {
      hint: 'Use the newer version that wrote it.',
    });
  }
  if (version === 0) {
    if (readOnly) throw new ConfigError(`embedded log: ${path} is empty.`, { hint: 'Start a worker on it first.' });
    const tables = Number(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n']);
    if (tables > 0) throw new ConfigError(`embedded log: ${path} holds tables of something else.`, { hint: 'Choose another directory.' });
    db.exec(`BEGIN IMMEDIATE; ${schema}`);
    const insert = db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
    // As Kafka's: a UUID's 16 bytes in base64url.
    insert.run('cluster.id', randomBytes(16).toString('base64url'));
    db.exec('COMMIT');
  }
  if (!readOnly) db.prepare(`INSERT OR REPLACE INTO meta (key, value) VALUES ('owner.pid', ?)`).run(String(process.pid));
}

/** Who holds the log, for an error message: best effort. */
function ownerOf(path: string): string {
  try {
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      const pid = db.prepare(`SELECT value FROM meta WHERE key = 'owner.pid'`).get()?.['value'];
      return pid === undefined ? '' : ` (process ${String(pid)})`;
    } finally {
      db.close();
    }
  } catch {
    return '';
  }
}

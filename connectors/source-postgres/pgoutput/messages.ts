/**
 * pgoutput's messages (protocol version 1), other than rows: see `tuple.ts` for those.
 * Source: PostgreSQL, Logical Replication Message Formats.
 */
import { lsnOf } from '../position/lsn.ts';
import type { Lsn } from '../position/lsn.ts';
import { MessageReader, ProtocolError } from './reader.ts';

/** The first byte of a message. */
export const kinds = {
  begin: 0x42,
  commit: 0x43,
  origin: 0x4f,
  relation: 0x52,
  type: 0x59,
  insert: 0x49,
  update: 0x55,
  delete: 0x44,
  truncate: 0x54,
  message: 0x4d,
} as const;

export interface Begin {
  /** Where the transaction's commit record begins. */
  readonly commitLsn: Lsn;
  /** Commit time, in microseconds since 1970. */
  readonly commitUs: number;
  readonly xid: number;
}

export interface Commit {
  readonly commitLsn: Lsn;
  /** Where the commit record ends. */
  readonly endLsn: Lsn;
}

export interface RelationColumn {
  readonly name: string;
  /** Whether it is part of the replica identity. */
  readonly identity: boolean;
  readonly type: number;
  readonly typmod: number;
}

export interface Relation {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
  /** relreplident: `d` default, `n` nothing, `f` full, `i` index. */
  readonly replicaIdentity: string;
  readonly columns: readonly RelationColumn[];
}

export interface Truncate {
  readonly relations: readonly number[];
}

/** What pg_logical_emit_message wrote. */
export interface LogicalMessage {
  readonly transactional: boolean;
  readonly lsn: Lsn;
  readonly prefix: string;
  readonly content: Uint8Array;
}

// PostgreSQL counts from 2000-01-01.
const epochUs = 946_684_800_000_000n;

/** Where a transaction that was replayed comes from. */
export interface Origin {
  readonly name: string;
}

function open(bytes: Uint8Array, start: number, end: number, kind: number): MessageReader {
  const reader = new MessageReader(bytes, start, end);
  const found = reader.byte();
  if (found !== kind) throw new ProtocolError(`message type ${found}, expected ${kind}`);
  return reader;
}

export function readBegin(bytes: Uint8Array, start: number, end: number): Begin {
  const reader = open(bytes, start, end, kinds.begin);
  const commitLsn = lsnOf(reader.uint32(), reader.uint32());
  return { commitLsn, commitUs: Number(reader.int64() + epochUs), xid: reader.uint32() };
}

export function readCommit(bytes: Uint8Array, start: number, end: number): Commit {
  const reader = open(bytes, start, end, kinds.commit);
  reader.byte();
  return { commitLsn: lsnOf(reader.uint32(), reader.uint32()), endLsn: lsnOf(reader.uint32(), reader.uint32()) };
}

export function readOrigin(bytes: Uint8Array, start: number, end: number): Origin {
  const reader = open(bytes, start, end, kinds.origin);
  reader.int64();
  return { name: reader.text() };
}

export function readRelation(bytes: Uint8Array, start: number, end: number): Relation {
  const reader = open(bytes, start, end, kinds.relation);
  const oid = reader.uint32();
  // pg_catalog is sent as an empty string.
  const schema = reader.text() || 'pg_catalog';
  const table = reader.text();
  const replicaIdentity = String.fromCharCode(reader.byte());
  const columns: RelationColumn[] = [];
  for (let count = reader.int16(); count > 0; count--) {
    const identity = (reader.byte() & 1) !== 0;
    columns.push({ name: reader.text(), identity, type: reader.uint32(), typmod: reader.int32() });
  }
  return { oid, schema, table, replicaIdentity, columns };
}

export function readTruncate(bytes: Uint8Array, start: number, end: number): Truncate {
  const reader = open(bytes, start, end, kinds.truncate);
  const count = reader.int32();
  reader.byte();
  const relations: number[] = [];
  for (let i = 0; i < count; i++) relations.push(reader.uint32());
  return { relations };
}

export function readLogicalMessage(bytes: Uint8Array, start: number, end: number): LogicalMessage {
  const reader = open(bytes, start, end, kinds.message);
  const transactional = (reader.byte() & 1) !== 0;
  const lsn = lsnOf(reader.uint32(), reader.uint32());
  const prefix = reader.text();
  return { transactional, lsn, prefix, content: reader.copy(reader.int32()) };
}

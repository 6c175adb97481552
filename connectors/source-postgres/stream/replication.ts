/** One replication connection: feeds the decoder, answers the server, and ends when either side does. */
import { RetriableError } from '@millrace/runtime/api';
import pg from 'pg';

import type { Connector } from '../connection/connection.ts';
import { endClient, rawConnection } from '../connection/connection.ts';
import { explain } from '../connection/errors.ts';
import { formatLsn, lsnOf } from '../position/lsn.ts';
import type { Lsn } from '../position/lsn.ts';
import { ProtocolError } from '../pgoutput/reader.ts';
import { missingPublication } from '../catalog/publication.ts';
import type { RecordQueue } from '../records/queue.ts';
import type { Settings } from '../config/settings.ts';
import type { StreamDecoder } from './stream.ts';
import { tapSocket } from './tap.ts';

const xlogData = 0x77;
const keepalive = 0x6b;
/** Of either: type, start of the data (or end of the WAL), … */
const xlogHeader = 25;
const keepaliveLength = 18;

/** Answers wanted within a second; otherwise the server wants one each half of wal_sender_timeout at most. */
const stopsAfterAsking = 20;

export interface ReplicationOptions {
  readonly connector: Connector;
  readonly settings: Settings;
  readonly decoder: StreamDecoder;
  readonly queue: RecordQueue;
  /** What may be confirmed now; undefined while nothing may. */
  readonly confirmable: () => Lsn | undefined;
  /** Whether the slot is still the one that was looked at; from then on it is in use, and nobody can drop it. Rejects if it is not. */
  readonly verify: () => Promise<void>;
  readonly onStarted: () => void;
}

export interface Replication {
  /** Resolves when the stream has ended, in any way: with the reason, or nothing after `close`. */
  readonly ended: Promise<Error | undefined>;
  /** Hands nothing more to the decoder, from the current message on. */
  hold(): void;
  release(): void;
  /** Tells the server what is confirmed. */
  report(): void;
  close(): Promise<void>;
}

/** Starts the stream of the decoder's slot, at the position that it goes on from. */
export async function startReplication(options: ReplicationOptions, from: Lsn | undefined): Promise<Replication> {
  const { connector, settings, decoder, queue, confirmable, verify, onStarted } = options;
  const doing = `stream from replication slot "${settings.slot}"`;
  const client = await connector.connectReplication();
  const connection = rawConnection(client);
  const ended = Promise.withResolvers<Error | undefined>();
  let started = false;
  let closing = false;
  let closed = false;
  // The relation's catalog, and the queue's room: the stream goes on when nobody holds it.
  let holds = 0;
  // A network that swallows everything tells nobody: the server is asked for an answer with each status.
  let waitsForRoom = false;
  let heardMs = performance.now();
  let asked = { sinceMs: 0, times: 0 };

  const hold = (): void => {
    if (holds++ === 0) tap.hold();
  };
  const release = (): void => {
    if (--holds === 0) tap.release();
  };

  /** Whatever came after the reason of the end is as good as not received: nothing more is read, or confirmed. */
  function end(error: Error): void {
    closing = true;
    hold(); // and for good: whoever waits for the catalog may still release
    ended.resolve(error);
  }

  function report(asks = false): void {
    if (!started || closing || !connection.stream.writable) return;
    connection.sendCopyFromChunk(standbyStatus(decoder.reached, confirmable(), asks));
  }

  /**
   * A server that stops sends all it has, and then asks again and again until all of it is confirmed; what waits to be
   * stored would hold its stop up. It is left, and nothing is lost: the stream goes on from what is stored.
   */
  function answer(): void {
    report();
    const nowMs = performance.now();
    if (nowMs - asked.sinceMs > 1_000) asked = { sinceMs: nowMs, times: 0 };
    if (++asked.times >= stopsAfterAsking) end(new RetriableError(`could not ${doing}: the server is about to stop.`));
  }

  function check(): void {
    const silentMs = performance.now() - heardMs;
    if (!waitsForRoom && silentMs > settings.silenceMs) {
      end(new RetriableError(`could not ${doing}: the server has said nothing for ${Math.round(silentMs)} ms.`));
      connection.stream.destroy();
    } else report(true);
  }

  const handler = {
    begin(): void {
      heardMs = performance.now();
      decoder.beginRun();
    },
    copyData(bytes: Buffer, start: number, end: number): void {
      const kind = bytes[start];
      if (kind === xlogData && end - start > xlogHeader) {
        decoder.message(bytes, start + xlogHeader, end, uint32(bytes, start + 1), uint32(bytes, start + 5));
      } else if (kind === keepalive && end - start === keepaliveLength) {
        const walEnd = lsnOf(uint32(bytes, start + 1), uint32(bytes, start + 5));
        if (!decoder.inTransaction && walEnd > decoder.reached) decoder.reached = walEnd;
        if (bytes[start + 17] === 1) answer();
      } else {
        throw new ProtocolError(`a replication message of an unknown kind (${kind}, ${end - start} bytes)`);
      }
    },
    end(): void {
      if (!queue.isFull || closing) return;
      hold();
      waitsForRoom = true;
      queue.whenRoom(() => {
        waitsForRoom = false;
        heardMs = performance.now();
        release();
      });
    },
    failed: (error: Error) => end(explain(error, 'decode the replication stream')),
  };

  // The driver's own event for each message would cost more than all the rest: the bytes are taken before it sees them.
  const tap = tapSocket(client, handler);
  // From PostgreSQL 18 on a missing publication is only warned about, and its changes are left out for good.
  client.on('notice', ({ message = '' }) => {
    if (/skipped loading publication/.test(message)) end(missingPublication(settings, message));
  });
  client.on('error', (error) => ended.resolve(closing ? undefined : explain(error, doing)));
  connection.once('replicationStart', () => {
    hold();
    verify().then(() => {
      if (closing) return;
      started = true;
      report();
      onStarted();
      release();
    }, end);
  });
  const timer = setInterval(check, Math.min(settings.statusIntervalMs, settings.silenceMs / 3));
  const publication = pg.escapeLiteral(pg.escapeIdentifier(settings.publication));
  const more = Object.entries({ messages: 'true', ...settings.streamParams }).map(([key, value]) => `, ${key} ${pg.escapeLiteral(value)}`);
  const params = `proto_version '1', publication_names ${publication}${more.join('')}`;
  client.query(`START_REPLICATION SLOT ${pg.escapeIdentifier(settings.slot)} LOGICAL ${formatLsn(from ?? 0)} (${params})`).then(
    () => ended.resolve(closing ? undefined : explain(new Error('Connection terminated by the server'), doing)),
    (error: unknown) => ended.resolve(closing ? undefined : explain(error, doing)),
  );
  void ended.promise.then(() => clearInterval(timer));

  return {
    ended: ended.promise,
    hold,
    release,
    report: () => report(),
    async close() {
      if (closed) return;
      closed = true;
      report();
      closing = true;
      clearInterval(timer);
      hold();
      // A polite end would wait for the server to stop sending: it is told, and then left.
      connection.stream.end();
      connection.stream.resume();
      await endClient(client);
      ended.resolve(undefined);
    },
  };
}

const uint32 = (bytes: Buffer, at: number): number =>
  (((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;

/** Microseconds from 1970 to 2000. */
const epochUs = 946_684_800_000_000n;

/** Standby status update: received so far, flushed so far (0 confirms nothing), and whether an answer is wanted. Source: Streaming Replication Protocol. */
function standbyStatus(received: Lsn, flushed: Lsn | undefined, asks: boolean): Buffer {
  const message = Buffer.alloc(34);
  message[0] = 0x72;
  const safe = BigInt(flushed ?? 0);
  message.writeBigUInt64BE(BigInt(received) > safe ? BigInt(received) : safe, 1);
  message.writeBigUInt64BE(safe, 9);
  message.writeBigUInt64BE(safe, 17);
  message.writeBigInt64BE(BigInt(Date.now()) * 1000n - epochUs, 25);
  message[33] = asks ? 1 : 0;
  return message;
}

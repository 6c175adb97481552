/**
 * Requests of ours on a connection of the client's. Its own `send` copies every request into one buffer, which
 * for produce is the whole batch: a quarter of the CPU of a row, most of it garbage collection. Here batches go
 * to the socket as they are. The client keeps what it does well: TLS, login, and the login's renewal.
 */
import { Reader } from '@platformatic/kafka';
import type { Connection, Writer } from '@platformatic/kafka';

export interface FramedRequests {
  /** Sends a request with header version 2, and reads a response with header version 1 (flexible versions). */
  send<T>(api: { readonly key: number; readonly version: number }, body: Writer, parse: (reader: Reader) => T): Promise<T>;
}

interface Waiting {
  readonly take: (reader: Reader) => void;
  readonly reject: (error: Error) => void;
}

/** The client counts its requests from 1 up: ours are told apart by this. */
const firstCorrelationId = 0x40000000;
const lastCorrelationId = 0x7fffffff;
/** Smaller pieces are copied together: a system call's share costs more. */
const copiedBytes = 4096;

/** Takes over the reading of the connection's socket; frames that answer none of ours go to the client. */
export function framedRequests(connection: Connection, clientId: string): FramedRequests {
  const { socket } = connection;
  const waiting = new Map<number, Waiting>();
  let correlationId = firstCorrelationId;

  const theirs = socket.listeners('data') as ((chunk: Buffer) => void)[];
  for (const listener of theirs) socket.off('data', listener);
  const frames = frameAssembly((frame) => {
    const id = frame.readInt32BE(4);
    const request = waiting.get(id);
    if (request === undefined) {
      for (const listener of theirs) listener(frame);
      return;
    }
    waiting.delete(id);
    // Length, correlation id, and a tag buffer that brokers leave empty.
    request.take(Reader.from(frame.subarray(9)));
  });
  socket.on('data', (chunk: Buffer) => {
    frames(chunk);
    giveBack(chunk);
  });
  socket.on('close', () => {
    const error = Object.assign(new Error('Connection closed'), { code: 'ECONNRESET' });
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  });

  return {
    send(api, body, parse) {
      return new Promise((resolve, reject) => {
        if (!connection.isConnected() || socket.destroyed) {
          return reject(Object.assign(new Error('Connection closed'), { code: 'ECONNRESET' }));
        }
        correlationId = correlationId === lastCorrelationId ? firstCorrelationId : correlationId + 1;
        waiting.set(correlationId, {
          reject,
          take(reader) {
            try {
              resolve(parse(reader));
            } catch (error) {
              reject(error as Error);
            }
          },
        });
        const head = requestHead(api, correlationId, clientId, body.length);
        socket.cork();
        for (const piece of joinSmall([head, ...body.buffers])) socket.write(piece);
        socket.uncork();
      });
    },
  };
}

const smallestGivenBack = 16 * 1024;

/**
 * Frees what was read from the socket, and copied: left to the garbage collector it is what whole collections are run for,
 * each 15 MB of a fetch, a third of the thread's time. Only memory that is nobody else's.
 */
function giveBack({ buffer, length }: Buffer): void {
  if (length < smallestGivenBack || length !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  buffer.transfer(0);
}

/** `length: int32, api_key: int16, api_version: int16, correlation_id: int32, client_id: nullable string, tags` */
function requestHead(api: { key: number; version: number }, correlationId: number, clientId: string, bodyBytes: number): Buffer {
  const name = Buffer.from(clientId);
  const head = Buffer.alloc(15 + name.length);
  head.writeInt32BE(11 + name.length + bodyBytes, 0);
  head.writeInt16BE(api.key, 4);
  head.writeInt16BE(api.version, 6);
  head.writeInt32BE(correlationId, 8);
  head.writeInt16BE(name.length, 12);
  name.copy(head, 14);
  return head;
}

function* joinSmall(pieces: readonly Buffer[]): Generator<Buffer> {
  let small: Buffer[] = [];
  for (const piece of pieces) {
    if (piece.length < copiedBytes) {
      small.push(piece);
      continue;
    }
    if (small.length > 0) yield Buffer.concat(small);
    small = [];
    yield piece;
  }
  if (small.length > 0) yield Buffer.concat(small);
}

/** Cuts what arrives into frames, length included; each is one buffer, filled once. */
export function frameAssembly(onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  let frame: Buffer | undefined;
  let filled = 0;
  let lengthBytes = Buffer.alloc(0);

  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (frame === undefined) {
        const missing = 4 - lengthBytes.length;
        lengthBytes = Buffer.concat([lengthBytes, chunk.subarray(at, at + missing)]);
        at += missing;
        if (lengthBytes.length < 4) return;
        frame = Buffer.from(new ArrayBuffer(4 + lengthBytes.readUInt32BE(0)));
        lengthBytes.copy(frame);
        filled = 4;
        lengthBytes = Buffer.alloc(0);
      }
      const taken = Math.min(frame.length - filled, chunk.length - at);
      chunk.copy(frame, filled, at, at + taken);
      filled += taken;
      at += taken;
      if (filled < frame.length) return;
      const whole = frame;
      frame = undefined;
      onFrame(whole);
    }
  };
}

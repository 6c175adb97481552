/**
 * Takes the bytes of a connection's socket past pg's parser: CopyData goes to the handler as it stands, anything
 * else back to pg, in order. pg would make an object, an event and a string for each row.
 */
import type { Client } from 'pg';

import { socketOf } from '../connection/connection.ts';
import { createFrameCutter } from './frames.ts';

export interface TapHandler {
  /** A chunk came; its frames follow. */
  begin?(): void;
  copyData(bytes: Buffer, start: number, end: number): void;
  /** The chunk's frames were handed over. */
  end?(): void;
  /** The handler threw, or the bytes are not PostgreSQL's protocol. Nothing more comes. */
  failed(error: Error): void;
}

export interface Tap {
  /** Hands nothing more over, from the current frame on, and stops reading from the socket. */
  hold(): void;
  /** Goes on with the frame after it. */
  release(): void;
  /** Gives the socket back to pg. */
  remove(): void;
}

type DataListener = (chunk: Buffer) => void;

// The WAL sender sends each row by itself. Reading them one by one would cost more than decoding them, and that
// CPU is what the sender lacks: in a busy stream the socket rests, so that a read finds many. A row that comes
// after a pause is read at once.
const restMs = 1;
const fullRead = 32_768;

export function tapSocket(client: Client, handler: TapHandler): Tap {
  const socket = socketOf(client);
  const listeners = socket.listeners('data') as DataListener[];
  const cutter = createFrameCutter({
    copyData: (bytes, start, end) => handler.copyData(bytes, start, end),
    other: (message) => listeners.forEach((listener) => listener.call(socket, message)),
  });
  const waiting: Buffer[] = [];
  let at = 0;
  let busy = false;
  let removed = false;
  let resting = false;
  let held = false;
  let lastRead = 0;

  function rest(chunk: Buffer): void {
    const now = performance.now();
    const busyStream = now - lastRead < 2 * restMs;
    lastRead = now;
    if (!busyStream || chunk.length >= fullRead || resting || held) return;
    resting = true;
    socket.pause();
    setTimeout(() => {
      resting = false;
      if (!held) socket.resume();
    }, restMs);
  }

  function pump(): void {
    if (busy) return;
    busy = true;
    try {
      while (waiting.length > 0 && !cutter.stopped && !removed) {
        const chunk = waiting[0] as Buffer;
        handler.begin?.();
        at = cutter.cut(chunk, at);
        if (at === chunk.length && waiting[0] === chunk) {
          waiting.shift();
          at = 0;
        }
        handler.end?.();
      }
    } catch (error) {
      cutter.stopped = true;
      removed = true;
      handler.failed(error as Error);
      socket.destroy();
    } finally {
      busy = false;
    }
  }

  const onData = (chunk: Buffer): void => {
    waiting.push(chunk);
    pump();
    rest(chunk);
  };
  for (const listener of listeners) socket.removeListener('data', listener);
  socket.on('data', onData);

  return {
    hold() {
      held = true;
      cutter.stopped = true;
      socket.pause();
    },
    release() {
      held = false;
      cutter.stopped = false;
      pump();
      if (!held && !resting) socket.resume();
    },
    remove() {
      if (removed) return;
      removed = true;
      socket.removeListener('data', onData);
      for (const listener of listeners) socket.on('data', listener);
      socket.resume();
    },
  };
}

/**
 * Calls over a MessagePort: what a thread offers to another is a table of async functions. Buffers named in
 * `transfer` change hands; errors cross with their kind and cause; an aborted signal reaches the other side.
 */
import type { MessagePort, Transferable } from 'node:worker_threads';
import { ConnectError } from '../api/index.ts';
import { fromCrossing, toCrossing } from './thread-errors.ts';
import type { CrossingError } from './thread-errors.ts';

type Message =
  | { readonly call: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly cancel: number }
  | { readonly answer: number; readonly result: unknown }
  | { readonly answer: number; readonly error: CrossingError };

/** What ports and workers have in common. */
export interface Postable {
  postMessage(message: unknown, transfer?: readonly Transferable[]): void;
  // Node's own types say `any` of a message; each listener names the type that it was sent as.
  // oxlint-disable-next-line typescript/no-explicit-any
  on(event: 'message', listener: (message: any) => void): unknown;
}

/** A result whose buffers are handed over to the caller. */
export class Handover {
  readonly result: unknown;
  readonly transfer: readonly Transferable[];

  constructor(result: unknown, transfer: readonly Transferable[]) {
    this.result = result;
    this.transfer = transfer;
  }
}

/** Each function gets the call's arguments, and a signal that is aborted when the caller gives up. */
export type Offered = Readonly<Record<string, (signal: AbortSignal, ...args: never[]) => unknown>>;

/** Answers calls that arrive on the port. */
export function serveCalls(port: Postable, offered: Offered): void {
  const running = new Map<number, AbortController>();
  const answer = async (call: number, method: string, args: readonly unknown[]): Promise<void> => {
    const controller = new AbortController();
    running.set(call, controller);
    try {
      const serve = offered[method] as ((signal: AbortSignal, ...args: unknown[]) => unknown) | undefined;
      if (serve === undefined) throw new ConnectError(`no thread method "${method}"`);
      const result = await serve(controller.signal, ...args);
      if (result instanceof Handover) port.postMessage({ answer: call, result: result.result }, result.transfer);
      else port.postMessage({ answer: call, result });
    } catch (error) {
      port.postMessage({ answer: call, error: toCrossing(error) });
    } finally {
      running.delete(call);
    }
  };
  port.on('message', (message: Message) => {
    if ('call' in message) void answer(message.call, message.method, message.args);
    else if ('cancel' in message) running.get(message.cancel)?.abort();
  });
}

/** Makes calls to the thread at the other end. */
export interface Caller {
  call<T>(
    method: string,
    args: readonly unknown[],
    options?: { transfer?: readonly Transferable[]; signal?: AbortSignal | undefined },
  ): Promise<T>;
  /** Rejects what is under way and what comes later: the other end is gone. */
  fail(error: Error): void;
}

export function callOver(port: Postable): Caller {
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let next = 0;
  let gone: Error | undefined;
  port.on('message', (message: Message) => {
    if (!('answer' in message)) return;
    const waiter = waiting.get(message.answer);
    waiting.delete(message.answer);
    if (waiter === undefined) return;
    if ('error' in message) waiter.reject(fromCrossing(message.error));
    else waiter.resolve(message.result as never);
  });
  return {
    call(method, args, { transfer = [], signal } = {}) {
      if (gone !== undefined) return Promise.reject(gone);
      const call = next++;
      return new Promise((resolve, reject) => {
        const cancel = (): void => port.postMessage({ cancel: call });
        const settle =
          <A extends unknown[]>(then: (...args: A) => void) =>
          (...args: A): void => {
            signal?.removeEventListener('abort', cancel);
            then(...args);
          };
        // Throws for what cannot cross; answers come later than now.
        port.postMessage({ call, method, args }, transfer);
        waiting.set(call, signal === undefined ? { resolve, reject } : { resolve: settle(resolve), reject: settle(reject) });
        if (signal?.aborted) cancel();
        else signal?.addEventListener('abort', cancel, { once: true });
      });
    },
    fail(error) {
      gone = error;
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    },
  };
}

/** A caller over a port of our own: a closed port fails what is under way. */
export function callOverPort(port: MessagePort, what: string): Caller {
  const caller = callOver(port);
  port.on('close', () => caller.fail(new ConnectError(`${what} is gone`)));
  return caller;
}

/** The few requests beside bulk ones, tried again while the reason may pass. */
import { setTimeout as sleep } from 'node:timers/promises';

import { ConnectError, RetriableError } from '@millrace/runtime/api';

import { backoffMs } from './backoff.ts';
import type { ElasticClient } from './client.ts';
import { problemOf } from './client-problem.ts';
import type { ClientProblem } from './client-problem.ts';

export interface RetryPolicy {
  readonly maxRetries: number;
  readonly backoffMs: number;
}

/** A request that was refused: what status, and why. */
export class RefusedError extends ConnectError {
  override readonly name: string = 'RefusedError';
  readonly problem: ClientProblem;

  constructor(message: string, problem: ClientProblem, cause: unknown) {
    super(message, { cause });
    this.problem = problem;
  }
}

/** All reject with a RefusedError, or a ConnectError when there was no answer in the end. */
export interface Requests {
  send(method: 'GET' | 'PUT', path: string, json?: unknown): Promise<unknown>;
  /** As `send`; 'forbidden' where the rights do not suffice. */
  allowed(method: 'GET' | 'PUT', path: string, json?: unknown): Promise<unknown>;
  exists(path: string): Promise<boolean>;
}

export function retriedRequests(client: ElasticClient, { maxRetries, backoffMs: baseMs }: RetryPolicy, signal?: AbortSignal): Requests {
  async function send(method: 'GET' | 'HEAD' | 'PUT', path: string, json?: unknown): Promise<unknown> {
    for (let retry = 1; ; retry++) {
      try {
        return await client.send(method, path, { ...(json === undefined ? {} : { json }), ...(signal === undefined ? {} : { signal }) });
      } catch (error) {
        signal?.throwIfAborted();
        const problem = problemOf(error);
        if (problem.kind === 'lasting')
          throw new RefusedError(`Elasticsearch refused ${method} ${path}: ${problem.reason}.`, problem, error);
        if (retry > maxRetries)
          throw new ConnectError(`${method} ${path} failed, ${maxRetries} retries too: ${problem.reason}.`, {
            cause: new RetriableError(problem.reason, { cause: error }),
          });
        await sleep(backoffMs(retry, baseMs), undefined, signal === undefined ? {} : { signal });
      }
    }
  }
  return {
    send,
    async allowed(method, path, json) {
      try {
        return await send(method, path, json);
      } catch (error) {
        if (error instanceof RefusedError && error.problem.status === 403) return 'forbidden';
        throw error;
      }
    },
    exists: async (path) => (await send('HEAD', path)) === true,
  };
}

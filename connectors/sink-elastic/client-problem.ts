/** What an error of the Elasticsearch client means. */
import { errors } from '@elastic/elasticsearch';

import { reasonOf } from './item-outcome.ts';
import type { ItemError } from './item-outcome.ts';
import { withoutCredentials } from './node-urls.ts';

export interface ClientProblem {
  /** `passing`: no answer, an unreadable one, or one that asks to come again. */
  readonly kind: 'passing' | 'lasting';
  readonly reason: string;
  /** Of HTTP, where there was an answer. */
  readonly status?: number;
}

export function problemOf(error: unknown): ClientProblem {
  if (error instanceof errors.ResponseError) {
    const status = error.statusCode ?? 0;
    const kind = status === 408 || status === 429 || status >= 500 ? 'passing' : 'lasting';
    return { kind, status, reason: `status ${status}, ${responseReason(error.body)}` };
  }
  if (error instanceof errors.ProductNotSupportedError)
    return { kind: 'lasting', reason: 'the server is not Elasticsearch (7.14 or later), by its answers' };
  if (error instanceof errors.TimeoutError) return { kind: 'passing', reason: 'no answer within read.timeout.ms' };
  if (error instanceof errors.ElasticsearchClientError && !(error instanceof errors.ConfigurationError))
    return { kind: 'passing', reason: withoutCredentials(error.message) };
  return { kind: 'lasting', reason: error instanceof Error ? error.message : String(error) };
}

function responseReason(body: unknown): string {
  const error = (body as { error?: ItemError | string } | undefined)?.error;
  if (typeof error === 'string') return error;
  if (typeof error?.type === 'string') return reasonOf(error);
  const text = typeof body === 'string' ? body.trim().replaceAll(/\s+/g, ' ').slice(0, 200) : '';
  return text === '' ? 'without a reason' : text;
}

import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, ConnectError, DataError, RetriableError } from '../api/index.ts';
import { FencedError } from './log.ts';
import { mayPass } from './passing-errors.ts';

const withKeys = (keys: object, message = 'm'): Error => Object.assign(new Error(message), keys);
const refused = withKeys({ code: 'ECONNREFUSED' });

const rows: readonly (readonly [what: string, error: unknown, passes: boolean])[] = [
  ['a retriable error', new RetriableError('later'), true],
  ['one that lost its class on the way', withKeys({ name: 'RetriableError' }), true],
  ['one that other words were put around', new ConnectError('a', { cause: new DataError('b', { cause: new RetriableError('c') }) }), true],
  ['another task in its place', new FencedError('fenced'), true],
  ['a connection', refused, true],
  ['a connection, as advice to a person', new ConfigError('check the host', { cause: refused }), true],
  ['a connection tried at several addresses', new AggregateError([new Error('x'), refused]), true],
  ['a connection that went, in the words of a driver', new Error('Connection terminated unexpectedly'), true],
  ['an answer 503', withKeys({ statusCode: 503 }), true],
  ['an answer 429', withKeys({ statusCode: 429 }), true],
  ['an answer 500 of S3', withKeys({ $metadata: { httpStatusCode: 500 } }), true],
  ['an answer that did not come in time', AbortSignal.abort(new DOMException('late', 'TimeoutError')).reason, true],
  ['a full disk', withKeys({ code: 'ENOSPC' }), true],
  ['a deadlock', withKeys({ code: '40P01' }), true],
  ['a lock', withKeys({ code: '55P03' }), true],
  ['a slot that another reads', withKeys({ code: '55006' }), true],
  ['a server that starts', withKeys({ code: '57P03' }), true],
  ['a table that is not there', withKeys({ code: '42P01' }), false],
  ['a password', withKeys({ code: '28P01' }), false],
  ['a row that is there already', withKeys({ code: '23505' }), false],
  ['a file that is not there', withKeys({ code: 'ENOENT' }), false],
  ['an answer 400', withKeys({ statusCode: 400 }), false],
  ['an answer 501', withKeys({ statusCode: 501 }), false],
  ['a bad record', new DataError('bad'), false],
  ['a bad config', new ConfigError('bad'), false],
  ['a fault in the code', new TypeError('undefined is not a function'), false],
  ['what is no error', 'ECONNREFUSED', false],
];

for (const [what, error, passes] of rows) test(`${what} ${passes ? 'may pass' : 'stays'}`, () => equal(mayPass(error), passes));

test('causes in a circle come to an end', () => {
  const error = new Error('a');
  error.cause = error;
  equal(mayPass(error), false);
});

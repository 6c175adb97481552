import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { MessageChannel, Worker } from 'node:worker_threads';
import { ConfigError, ConnectError, DataError, RetriableError } from '../api/index.ts';
import { FencedError } from '../ports/log.ts';
import { callOver, callOverPort, Handover, serveCalls } from './rpc.ts';
import type { Caller, Offered } from './rpc.ts';
import { traceOf } from './thread-errors.ts';

interface Pair extends AsyncDisposable {
  readonly caller: Caller;
  close(): void;
}

function connect(offered: Offered): Pair {
  const { port1, port2 } = new MessageChannel();
  serveCalls(port2, offered);
  return {
    caller: callOverPort(port1, 'the other side'),
    close: () => port2.close(),
    async [Symbol.asyncDispose]() {
      port1.close();
      port2.close();
    },
  };
}

const failing = (error: unknown): Offered => ({
  fail: () => {
    throw error;
  },
});

async function errorOver(error: unknown): Promise<Error> {
  await using pair = connect(failing(error));
  return await pair.caller.call('fail', []).then(
    () => assert.fail('it resolved'),
    (caught: Error) => caught,
  );
}

test('arguments and results cross, 64-bit integers included', async () => {
  await using pair = connect({ add: (_signal, a: bigint, b: bigint) => ({ sum: a + b }) });
  assert.deepEqual(await pair.caller.call('add', [2n ** 60n, 1n]), { sum: 2n ** 60n + 1n });
});

test('calls that overlap get each its own answer', async () => {
  const answers = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
  await using pair = connect({ take: (_signal, at: number) => answers[at]?.promise });
  const [first, second] = [pair.caller.call('take', [0]), pair.caller.call('take', [1])];
  answers[1]?.resolve(1);
  assert.equal(await second, 1);
  answers[0]?.resolve(0);
  assert.equal(await first, 0);
});

for (const kind of [ConnectError, ConfigError, RetriableError, DataError, FencedError]) {
  test(`a ${kind.name} stays one, with message, hint, stack and causes`, async () => {
    const original = new kind('the table is missing.', { hint: 'Create it.', cause: new RangeError('no such table', { cause: 'odd' }) });
    const error = await errorOver(original);
    assert.ok(error instanceof kind);
    assert.equal(error.name, kind.name);
    assert.equal(error.message, 'the table is missing. Create it.');
    assert.equal(error.hint, 'Create it.');
    assert.equal(error.stack, original.stack);
    assert.ok(error.cause instanceof Error);
    assert.equal(error.cause.name, 'RangeError');
    assert.equal(error.cause.message, 'no such table');
    assert.match(traceOf(error), /^\w+: the table is missing[^]+\n +at [^]+\nCaused by: RangeError: no such table\n[^]+Caused by: odd/);
  });
}

test('the code of a system error crosses; what is no error becomes one', async () => {
  const busy = Object.assign(new Error('taken'), { code: 'EADDRINUSE' });
  assert.equal(((await errorOver(busy)) as NodeJS.ErrnoException).code, 'EADDRINUSE');
  assert.equal((await errorOver('just text')).message, 'just text');
});

test('causes that go round in a circle end', async () => {
  const error = new Error('round');
  error.cause = error;
  assert.equal((await errorOver(error)).message, 'round');
});

test('an unknown method is named', async () => {
  await using pair = connect({});
  await assert.rejects(pair.caller.call('none', []), /no thread method "none"/);
});

test('buffers change hands, there and back', async () => {
  await using pair = connect({
    fill(_signal, buffer: ArrayBuffer) {
      new Uint8Array(buffer).fill(7);
      return new Handover({ buffer }, [buffer]);
    },
  });
  const mine = new ArrayBuffer(4);
  const answered = pair.caller.call<{ buffer: ArrayBuffer }>('fill', [mine], { transfer: [mine] });
  assert.ok(mine.detached);
  assert.deepEqual([...new Uint8Array((await answered).buffer)], [7, 7, 7, 7]);
});

test('what cannot cross rejects its own call only', async () => {
  await using pair = connect({ echo: (_signal, value: unknown) => value, bad: () => () => 'a function' });
  await assert.rejects(pair.caller.call('echo', [() => 1]), { name: 'DataCloneError' });
  await assert.rejects(pair.caller.call('bad', []), { name: 'DataCloneError' });
  assert.equal(await pair.caller.call('echo', [1]), 1);
});

test('a caller that gives up aborts the signal at the other side, before the call too', async () => {
  await using pair = connect({
    wait: async (signal) => {
      if (!signal.aborted) await once(signal, 'abort');
      return 'gave up';
    },
  });
  const controller = new AbortController();
  const waiting = pair.caller.call('wait', [], { signal: controller.signal });
  controller.abort();
  assert.equal(await waiting, 'gave up');
  assert.equal(await pair.caller.call('wait', [], { signal: AbortSignal.abort() }), 'gave up');
});

test('a signal that lives longer than its calls keeps none of them', async () => {
  await using pair = connect({ quick: () => 1 });
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => (listeners++, addEventListener.apply(signal, args));
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => (listeners--, removeEventListener.apply(signal, args));
  for (let n = 0; n < 3; n++) await pair.caller.call('quick', [], { signal });
  assert.equal(listeners, 0);
});

test('a port that closes rejects what is under way and what comes later', async () => {
  await using pair = connect({ wait: () => new Promise(() => {}) });
  const waiting = pair.caller.call('wait', []);
  pair.close();
  await assert.rejects(waiting, /^ConnectError: the other side is gone/);
  await assert.rejects(pair.caller.call('wait', []), /the other side is gone/);
});

test('a thread that ends closes its ports', async () => {
  const { port1, port2 } = new MessageChannel();
  const thread = new Worker('require("node:worker_threads").workerData.on("message", () => {})', {
    eval: true,
    workerData: port2,
    transferList: [port2],
  });
  const rejected = assert.rejects(callOverPort(port1, 'the thread').call('anything', []), /the thread is gone/);
  await once(thread, 'online');
  await thread.terminate();
  await rejected;
});

test('a caller told that the other end is gone says why', async () => {
  const { port1, port2 } = new MessageChannel();
  const caller = callOver(port1);
  const waiting = caller.call('anything', []);
  caller.fail(new RetriableError('it restarts'));
  await assert.rejects(waiting, { name: 'RetriableError', message: 'it restarts' });
  port1.close();
  port2.close();
});

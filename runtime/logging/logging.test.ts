import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { forwardingLogger, writeEntry } from './forwarding-logger.ts';
import type { LogEntry } from './forwarding-logger.ts';
import { createLogging } from './logging.ts';
import type { LoggingOptions } from './logging.ts';
import { redactText } from './redact.ts';

function recorded(options: LoggingOptions = {}) {
  const lines: string[] = [];
  return { lines, ...createLogging({ ...options, stream: { write: (text: string) => lines.push(text) } }) };
}

describe('lines', () => {
  test('look as Connect’s', () => {
    const { lines, logger } = recorded();
    logger('herder').info('started', { connectors: 2 });
    logger('shop|task-0').warn('late');
    assert.match(lines[0] ?? '', /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] INFO started \{connectors=2\} \(herder\)\n$/);
    assert.match(lines[1] ?? '', /^\[[^\]]+\] WARN \[shop\|task-0\] late\n$/);
  });

  test('an error follows with its stack and causes', () => {
    const { lines, logger } = recorded();
    logger('rest').error('failed', { err: new Error('outer', { cause: new TypeError('inner') }) });
    assert.match(lines[0] ?? '', /ERROR failed \(rest\)\nError: outer\n\s+at .*\nCaused by: TypeError: inner\n\s+at /s);
  });

  test('or as JSON', () => {
    const { lines, logger } = recorded({ format: 'json' });
    logger('herder').info('started', { lsn: 9007199254740993n });
    const { time, ...entry } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.match(String(time), /^\d{4}-/);
    assert.deepEqual(entry, { level: 'INFO', logger: 'herder', lsn: '9007199254740993', msg: 'started' });
  });

  test('hide secrets', () => {
    const { lines, logger } = recorded();
    logger('x').info('with password=hunter2 and postgres://joe:hunter2@host/db', {
      config: { 'database.password': 'hunter2', 'sasl.jaas.config': 'hunter2', list: [{ apiKey: 'hunter2' }], url: 'http://a:hunter2@b' },
    });
    assert.doesNotMatch(lines[0] ?? '', /hunter2/);
    assert.match(lines[0] ?? '', /"database.password":"\[hidden\]"/);
    assert.equal(redactText('username="joe" password="a \\" b";'), 'username="joe" password=[hidden];');
    assert.equal(redactText('{"password":"x","user":"y"}'), '{"password":[hidden],"user":"y"}');
    // A placeholder says where the secret is, and an error about it has to say which one.
    assert.equal(redactText('password: ${env:DB_PASSWORD} is not set'), 'password: ${env:DB_PASSWORD} is not set');
    assert.equal(redactText('password: ${env:A}hunter2'), 'password: [hidden]');
  });
});

describe('levels', () => {
  test('follow the nearest name above, and change at run time', () => {
    const { lines, logger, levels } = recorded();
    logger('a.b.c').debug('not yet');
    levels.set('a', 'DEBUG');
    logger('a.b.c').debug('now');
    levels.set('a.b', 'ERROR');
    logger('a.b.c').warn('no more');
    logger('a.x').debug('still');
    assert.deepEqual(
      lines.map((line) => / (now|still|no more|not yet) /.exec(line)?.[1]),
      ['now', 'still'],
    );
    assert.deepEqual(levels.levels(), { a: 'DEBUG', 'a.b': 'ERROR', 'a.b.c': 'ERROR', 'a.x': 'DEBUG', root: 'INFO' });
  });

  test('OFF is off, and unknown ones are refused', () => {
    const { lines, logger, levels } = recorded({ level: 'off' });
    logger('a').error('nothing');
    assert.deepEqual(lines, []);
    assert.throws(() => levels.set('a', 'LOUD'), /"LOUD" is no log level: choose one of OFF/);
  });
});

test('a thread’s entries arrive on the other side', () => {
  const { lines, logger } = recorded();
  const posted: LogEntry[] = [];
  forwardingLogger((entry) => posted.push(structuredClone(entry))).warn('lost', { err: new Error('gone'), at: () => 1, n: 1n });
  for (const entry of posted) writeEntry(logger('shop|task-0'), entry);
  assert.match(lines[0] ?? '', /WARN \[shop\|task-0\] lost \{at=\(\) => 1, n=1\}\nError: gone\n/);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RawConfig } from '../api/index.ts';
import { restartNoteOf } from '../ports/restart-note.ts';
import { eventually, reaches, sourceConfig, startHerder } from './test/herder-fixture.ts';
import type { Fixture } from './test/herder-fixture.ts';

const soon: RawConfig = { 'errors.restart.attempts': '5', 'errors.restart.delay.ms': '1' };
/** Beyond the end of the test. */
const late: RawConfig = { 'errors.restart.attempts': '5', 'errors.restart.delay.ms': '250000' };

interface Refusing extends Fixture {
  /** How often its task configs were asked for. */
  readonly asked: () => number;
  /** The next so many are refused. */
  refuse(times: number, code?: string): void;
}

async function refusing(times: number, code?: string): Promise<Refusing> {
  const fixture = await startHerder();
  const plain = fixture.plugins.taskConfigs;
  let asked = 0;
  let left = 0;
  let reason: string | undefined;
  const refuse: Refusing['refuse'] = (more, why = 'ECONNREFUSED') => {
    left = more;
    reason = why;
  };
  refuse(times, code);
  fixture.plugins.taskConfigs = async (...request) => {
    asked++;
    if (left-- <= 0) return plain(...request);
    throw new Error('the source is away', { cause: Object.assign(new Error('no connection'), { code: reason }) });
  };
  return { ...fixture, asked: () => asked, refuse, [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose]() };
}

const traceOf = async ({ herder }: Fixture): Promise<string> => (await herder.status('c')).connector.trace ?? '';
/** The time of a restart that was cancelled goes by: timers come in the order of their times. */
const timersPass = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));

describe('a connector that cannot make its task configs for a reason that may pass', () => {
  test('is started again by itself, and its tasks with it', async () => {
    await using fixture = await refusing(3);
    await fixture.herder.createConnector('c', sourceConfig(soon));
    await reaches(fixture.herder, 'c', 'RUNNING RUNNING');
    assert.equal(fixture.asked(), 4);
    assert.equal(await traceOf(fixture), '');
  });

  test('is FAILED until then, with its cause, the count and the next try', async () => {
    await using fixture = await refusing(1);
    await fixture.herder.createConnector('c', sourceConfig(late));
    await reaches(fixture.herder, 'c', 'FAILED');
    const trace = await traceOf(fixture);
    assert.match(trace, /the source is away[^]*Caused by: Error: no connection[^]*\nRestart 1 of 5 comes at /);
    assert.deepEqual([restartNoteOf(trace)?.count, restartNoteOf(trace)?.of], [1, 5]);
    assert.match(fixture.logged.join('\n'), /connector c: restart 1 of 5 comes in \d+ ms/);
  });

  test('is given up when the restarts are used up, and counted anew by hand', async () => {
    await using fixture = await refusing(Infinity);
    await fixture.herder.createConnector('c', sourceConfig({ ...soon, 'errors.restart.attempts': '2' }));
    const givenUp = (): Promise<void> =>
      eventually(async () => assert.match(await traceOf(fixture), /\n2 restarts did not help.*POST \/connectors\/c\/restart/));
    await givenUp();
    assert.equal(fixture.asked(), 3);
    const byHand = fixture.herder.restartConnector('c', { includeTasks: false, onlyFailed: false });
    await assert.rejects(byHand, { status: 500 });
    await eventually(() => assert.equal(fixture.asked(), 6));
    await givenUp();
  });

  test('stays as it is without the keys, and where the reason is another', async () => {
    await using plain = await refusing(1);
    await plain.herder.createConnector('c', sourceConfig({}));
    await using fault = await refusing(1, 'ERR_OF_THE_CODE');
    await fault.herder.createConnector('c', sourceConfig(soon));
    for (const fixture of [plain, fault]) {
      await reaches(fixture.herder, 'c', 'FAILED');
      await timersPass();
      assert.equal(fixture.asked(), 1);
      assert.equal(restartNoteOf(await traceOf(fixture)), undefined);
    }
  });

  test('has none to come while it is paused; when it is resumed one is planned anew', async () => {
    await using fixture = await refusing(Infinity);
    await fixture.herder.createConnector('c', sourceConfig(late));
    await eventually(async () => assert.match(await traceOf(fixture), /comes at/));
    await fixture.herder.setTargetState('c', 'PAUSED');
    await eventually(async () => assert.doesNotMatch(await traceOf(fixture), /comes at/));
    await reaches(fixture.herder, 'c', 'FAILED');
    await fixture.herder.setTargetState('c', 'STARTED');
    await eventually(async () => assert.match(await traceOf(fixture), /\nRestart 1 of 5 comes at/));
  });

  test('has none to come with another config, nor when it was deleted', async () => {
    await using fixture = await refusing(1);
    await fixture.herder.createConnector('c', sourceConfig(late));
    await eventually(async () => assert.match(await traceOf(fixture), /comes at/));
    await fixture.herder.putConfig('c', sourceConfig({ ...late, 'errors.restart.delay.ms': '40' }));
    await reaches(fixture.herder, 'c', 'RUNNING RUNNING');
    fixture.refuse(1);
    await fixture.herder.putConfig('c', sourceConfig({ ...late, 'errors.restart.delay.ms': '41' }));
    await fixture.herder.deleteConnector('c');
    const before = fixture.asked();
    await timersPass();
    assert.equal(fixture.asked(), before);
  });
});

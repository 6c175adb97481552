/** A secret that a config names by a placeholder is used, and shows nowhere. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startMillrace } from '../services/millrace.ts';
import type { MillraceServer } from '../services/millrace.ts';
import { eventually, isRunning, startFileFlow, taskStatus } from './worker-states.ts';
import type { FileFlow } from './worker-states.ts';

const secret = 'correct-horse-battery-staple';
const provider = 'org.apache.kafka.common.config.provider.FileConfigProvider';

describe('a secret in a file', () => {
  let worker: MillraceServer;
  let flow: FileFlow;
  /** Every answer of REST, as text. */
  const answers: string[] = [];
  let placeholder: string;

  before(async () => {
    worker = await startMillrace({
      properties: {
        'plugin.path': fileURLToPath(new URL('fixtures/troublesome', import.meta.url)),
        'config.providers': 'file',
        'config.providers.file.class': provider,
        'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
        'offset.flush.interval.ms': '200',
        'millrace.log.level': 'TRACE',
      },
    });
    const file = join(worker.folder, 'secrets.properties');
    writeFileSync(file, `db.password=${secret}\n`);
    placeholder = `\${file:${file}:db.password}`;
    flow = await startFileFlow(worker, 'lines');
    await flow.passes('one');
  });
  after(() => worker?.[Symbol.asyncDispose]());

  async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    const init = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const answer = await fetch(worker.url + path, { method, ...init });
    const text = await answer.text();
    answers.push(`${method} ${path}: ${answer.status} ${text}`);
    return { status: answer.status, text };
  }

  const configOf = (trouble: string) => ({
    'connector.class': 'troublesome-sink',
    trouble,
    'calm.file': join(worker.folder, 'none'),
    topics: flow.topic,
    password: placeholder,
    note: `to be kept: ${placeholder}!`,
  });

  async function everythingOf(name: string): Promise<void> {
    for (const path of ['', '/config', '/status', '/tasks', '/tasks/0/status', '/topics', '/offsets'])
      await ask('GET', `/connectors/${name}${path}`);
    await ask('GET', '/connectors?expand=info&expand=status');
    await ask('GET', '/metrics');
  }

  it('reaches the task, and is a placeholder to everybody else', async () => {
    await ask('PUT', '/connectors/calm/config', configOf('none'));
    await taskStatus(worker, 'calm', isRunning);
    await everythingOf('calm');
    const { text } = await ask('GET', '/connectors/calm/config');
    assert.equal((JSON.parse(text) as Record<string, string>)['password'], placeholder);
  });

  for (const place of ['put', 'start', 'dispose', 'taskConfigs']) {
    it(`is hidden in what is thrown in ${place}`, async () => {
      const name = `throws-in-${place}`;
      await ask('PUT', `/connectors/${name}/config`, configOf(`${place} throw-note`));
      const failed = await eventually(`the failure of ${name}`, async () => {
        const { connector, tasks } = await worker.status(name);
        if (place === 'dispose') return tasks[0]?.state === 'RUNNING' && connector;
        return [connector, ...tasks].find(({ state }) => state === 'FAILED');
      });
      if (place !== 'dispose')
        assert.match(failed.trace ?? '', /the note is to be kept: \[hidden\]![^]*because of to be kept: \[hidden\]!/);
      await everythingOf(name);
      await ask('DELETE', `/connectors/${name}`);
    });
  }

  it('is hidden in what a validation throws or finds', async () => {
    const thrown = await ask('PUT', '/connectors/refused/config', configOf('validate throw-note'));
    assert.notEqual(thrown.status, 200);
    assert.match(thrown.text, /the note is to be kept: \[hidden\]!/);
    const path = '/connector-plugins/troublesome-sink/config/validate';
    const found = await ask('PUT', path, { ...configOf('none'), name: 'refused', 'tasks.max': placeholder });
    assert.match(found.text, /"errors":\[".*tasks\.max/);
    await ask('PUT', '/connectors/refused/config', { ...configOf('none'), 'tasks.max': placeholder });
    await ask('PUT', '/connectors/refused/config', { ...configOf('none'), 'connector.class': placeholder });
    await ask('PUT', '/connectors/refused/config', { ...configOf('none'), note: placeholder.replace('db.password', 'not.there') });
  });

  it('stands in no answer, no log line and no file but its own', async () => {
    await worker.stop();
    const log = worker.logTail(1_000_000);
    assert.match(log, /starting/);
    assert.match(log, /\[hidden\]/);
    const places = { answers: answers.join('\n'), log };
    for (const [place, text] of Object.entries(places)) {
      const at = text.indexOf(secret);
      assert.equal(at, -1, `in the ${place}: ${text.slice(Math.max(0, at - 500), at + 100)}`);
    }
    const files = readdirSync(worker.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const holding = files.filter(({ parentPath, name }) => readFileSync(join(parentPath, name)).includes(secret));
    assert.deepEqual(
      holding.map(({ name }) => name),
      ['secrets.properties'],
    );
  });
});

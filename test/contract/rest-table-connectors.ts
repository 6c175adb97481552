import assert from 'node:assert/strict';

import { failure } from './rest-row.ts';
import type { Expected, RestRow, RestTableWorld } from './rest-row.ts';

const emptyAnswer = (status: number): Expected => ({ status, body: null });

export function connectorRows({ inputFile, topic, prefix }: RestTableWorld): readonly RestRow[] {
  const name = `${prefix}-life`;
  const at = `/connectors/${name}`;
  const given = { 'connector.class': 'FileStreamSource', topic, file: inputFile, 'tasks.max': 1, extra: true, ratio: 1.5 };
  const config = { ...given, 'tasks.max': '1', extra: 'true', ratio: '1.5', name };
  const task = { connector: name, task: 0 };
  const status = (connector: string, tasks: readonly string[]) => (found: Status) => {
    assert.equal(found.name, name);
    assert.equal(found.type, 'source');
    assert.equal(found.connector.state, connector);
    assert.match(found.connector.worker_id, /^[^:]+:\d+$/);
    assert.deepEqual(
      found.tasks.map((each) => each.state),
      tasks,
    );
  };
  return [
    { what: 'none yet', method: 'GET', path: '/connectors/', expect: { status: 200, body: [] } },
    {
      what: 'created; the name is trimmed, values become strings',
      method: 'POST',
      path: '/connectors/',
      body: { name: ` ${name} `, config: given, initial_state: null },
      expect: {
        status: 201,
        headers: { location: (base) => `${base}${at}`, 'content-type': 'application/json' },
        check: (info: { name: string; config: object; type: string }) => {
          assert.deepEqual([info.name, info.config, info.type], [name, config, 'source']);
        },
      },
    },
    {
      what: 'again',
      method: 'POST',
      path: '/connectors',
      body: { name, config: given },
      expect: failure(409, `Connector ${name} already exists`),
    },
    { what: 'listed', method: 'GET', path: '/connectors', expect: { status: 200, body: [name] }, eventually: true },
    {
      what: 'info',
      method: 'GET',
      path: at,
      expect: { status: 200, body: { name, config, tasks: [task], type: 'source' } },
      eventually: true,
    },
    { what: 'trailing slash', method: 'GET', path: `${at}/`, expect: { status: 200 } },
    { what: 'config', method: 'GET', path: `${at}/config`, expect: { status: 200, body: config } },
    { what: 'runs', method: 'GET', path: `${at}/status`, expect: { status: 200, check: status('RUNNING', ['RUNNING']) }, eventually: true },
    {
      what: 'task configs',
      method: 'GET',
      path: `${at}/tasks`,
      expect: {
        status: 200,
        check: (tasks: { id: object; config: Record<string, string> }[]) => {
          assert.deepEqual(
            tasks.map((each) => each.id),
            [task],
          );
          assert.equal(tasks[0]?.config['topic'], topic);
        },
      },
    },
    { what: 'task status', method: 'GET', path: `${at}/tasks/0/status`, expect: { status: 200, text: '"id":0,"state":"RUNNING"' } },
    { what: 'task that is not', method: 'GET', path: `${at}/tasks/9/status`, expect: failure(404, `No status found for task ${name}-9`) },
    {
      what: 'topics in use',
      method: 'GET',
      path: `${at}/topics`,
      expect: { status: 200, body: { [name]: { topics: [topic] } } },
      eventually: true,
      running: true,
    },
    {
      what: 'both expansions, and one that is none',
      method: 'GET',
      path: '/connectors?expand=info&expand=status&expand=nonsense',
      expect: {
        status: 200,
        check: (all: Record<string, { info: object; status: Status }>) => {
          assert.deepEqual(all[name]?.info, { name, config, tasks: [task], type: 'source' });
          assert.equal(all[name]?.status.connector.state, 'RUNNING');
          assert.deepEqual(Object.keys(all[name] ?? {}), ['info', 'status']);
        },
      },
    },
    {
      what: 'an expansion that is none',
      method: 'GET',
      path: '/connectors?expand=nonsense',
      expect: { status: 200, body: { [name]: {} } },
    },
    { what: 'same config', method: 'PUT', path: `${at}/config`, body: given, expect: { status: 200, text: `"name":"${name}"` } },
    {
      what: 'merge: a null takes a key out',
      method: 'PATCH',
      path: `${at}/config`,
      body: { extra: null, ratio: 2, more: 'x' },
      expect: {
        status: 200,
        check: (info: { config: object }) => assert.deepEqual(info.config, without({ ...config, ratio: '2', more: 'x' }, 'extra')),
      },
    },
    {
      what: 'merged',
      method: 'GET',
      path: `${at}/config`,
      expect: { status: 200, body: without({ ...config, ratio: '2', more: 'x' }, 'extra') },
      eventually: true,
    },
    { what: 'plain restart', method: 'POST', path: `${at}/restart`, expect: emptyAnswer(204) },
    {
      what: 'runs again',
      method: 'GET',
      path: `${at}/status`,
      expect: { status: 200, check: status('RUNNING', ['RUNNING']) },
      eventually: true,
    },
    { what: 'a flag that is none', method: 'POST', path: `${at}/restart?includeTasks=yes`, expect: emptyAnswer(204) },
    {
      what: 'runs once more',
      method: 'GET',
      path: `${at}/status`,
      expect: { status: 200, check: status('RUNNING', ['RUNNING']) },
      eventually: true,
    },
    {
      what: 'restart with tasks: the plan',
      method: 'POST',
      path: `${at}/restart?includeTasks=True&onlyFailed=False`,
      expect: { status: 202, check: status('RESTARTING', ['RESTARTING']) },
    },
    {
      what: 'runs after that',
      method: 'GET',
      path: `${at}/status`,
      expect: { status: 200, check: status('RUNNING', ['RUNNING']) },
      eventually: true,
    },
    { what: 'a task', method: 'POST', path: `${at}/tasks/0/restart`, text: 'null', expect: emptyAnswer(204) },
    { what: 'a task that is not', method: 'POST', path: `${at}/tasks/9/restart`, expect: failure(404, `Unknown task: ${name}-9`) },
    { what: 'with a body of null', method: 'PUT', path: `${at}/pause`, text: 'null', expect: emptyAnswer(202) },
    { what: 'paused', method: 'GET', path: `${at}/status`, expect: { status: 200, check: status('PAUSED', ['PAUSED']) }, eventually: true },
    { what: 'with a body of ""', method: 'PUT', path: `${at}/resume`, text: '""', expect: emptyAnswer(202) },
    {
      what: 'resumed',
      method: 'GET',
      path: `${at}/status`,
      expect: { status: 200, check: status('RUNNING', ['RUNNING']) },
      eventually: true,
    },
    { what: 'topics forgotten', method: 'PUT', path: `${at}/topics/reset`, expect: emptyAnswer(202) },
    { what: 'stop', method: 'PUT', path: `${at}/stop`, expect: emptyAnswer(204) },
    {
      what: 'stopped: no tasks',
      method: 'GET',
      path: `${at}/status`,
      expect: { status: 200, check: status('STOPPED', []) },
      eventually: true,
    },
    {
      what: 'a stopped connector has no tasks',
      method: 'POST',
      path: `${at}/tasks/0/restart`,
      expect: failure(404, `Unknown task: ${name}-0`),
      connect: failure(409, 'Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.'),
      running: true,
    },
    { what: 'no task configs', method: 'GET', path: `${at}/tasks`, expect: { status: 200, body: [] }, eventually: true },
    { what: 'deleted', method: 'DELETE', path: at, expect: emptyAnswer(204) },
    { what: 'again', method: 'DELETE', path: at, expect: failure(404, `Connector ${name} not found`) },
    {
      what: 'no status left',
      method: 'GET',
      path: `${at}/status`,
      expect: failure(404, `No status found for connector ${name}`),
      eventually: true,
    },
    ...namedRows(prefix, topic),
    ...initialStateRows(prefix, topic),
  ];
}

/** Names that need escapes in a URL; Connect's own server refuses %2F, so there they can never be deleted. */
function namedRows(prefix: string, topic: string): readonly RestRow[] {
  const name = `${prefix}/ü x`;
  const at = `/connectors/${encodeURIComponent(name)}`;
  const config = { 'connector.class': 'FileStreamSource', topic, file: '/nowhere' };
  return [
    {
      what: 'a name with slash, umlaut and blank',
      method: 'PUT',
      path: `${at}/config`,
      body: config,
      expect: { status: 201, headers: { location: new RegExp(`${at}$`) }, text: `"name":"${name}"` },
      connect: null,
    },
    { what: 'that name', method: 'GET', path: at, expect: { status: 200 }, connect: null, eventually: true },
    { what: 'that name', method: 'DELETE', path: at, expect: emptyAnswer(204), connect: null },
  ];
}

function initialStateRows(prefix: string, topic: string): readonly RestRow[] {
  const name = `${prefix}-begin`;
  const paused = `${prefix}-begin-paused`;
  const config = { 'connector.class': 'FileStreamSource', topic, file: '/nowhere' };
  const create = { method: 'POST', path: '/connectors' } as const;
  return [
    { what: 'stopped from the start, in any case', ...create, body: { name, config, initial_state: 'stopped' }, expect: { status: 201 } },
    {
      what: 'is stopped',
      method: 'GET',
      path: `/connectors/${name}/status`,
      expect: { status: 200, text: '"state":"STOPPED"' },
      eventually: true,
    },
    { what: 'done', method: 'DELETE', path: `/connectors/${name}`, expect: emptyAnswer(204) },
    { what: 'paused from the start', ...create, body: { name: paused, config, initial_state: 'PAUSED' }, expect: { status: 201 } },
    {
      what: 'is paused, and has no tasks yet',
      method: 'GET',
      path: `/connectors/${paused}/status`,
      expect: { status: 200, check: ({ connector, tasks }: Status) => assert.deepEqual([connector.state, tasks], ['PAUSED', []]) },
      eventually: true,
      running: true,
    },
    { what: 'done', method: 'DELETE', path: `/connectors/${paused}`, expect: emptyAnswer(204) },
  ];
}

interface Status {
  readonly name: string;
  readonly type: string;
  readonly connector: { readonly state: string; readonly worker_id: string };
  readonly tasks: readonly { readonly id: number; readonly state: string }[];
}

function without(config: Readonly<Record<string, unknown>>, key: string): object {
  return Object.fromEntries(Object.entries(config).filter(([each]) => each !== key));
}

/** What only several workers show: requests that one sends on to another, and what they ask of each other. */
import assert from 'node:assert/strict';

import { failure } from './rest-row.ts';
import type { Expected, RestRow, RestTableWorld, Via } from './rest-row.ts';

const empty = (status: number): Expected => ({ status, body: null });
/** The request may not be sent on, and this worker cannot answer it. */
const tooManyHops = failure(409, 'Cannot complete request because of a conflicting operation (e.g. worker rebalance)');

export function clusterRows({ inputFile, topic, prefix }: RestTableWorld): readonly RestRow[] {
  const name = `${prefix}-shared`;
  const at = `/connectors/${name}`;
  const offsets = `${at}/offsets`;
  const given = { 'connector.class': 'FileStreamSource', topic, file: inputFile, more: '1' };
  const partition = { filename: inputFile };
  const altered = { offsets: [{ partition, offset: { position: 4 } }] };
  const taskElsewhere: Via = { taskNotOn: name };
  const connectorElsewhere: Via = { connectorNotOn: name };
  const runs: RestRow = { what: 'runs', method: 'GET', path: `${at}/status`, expect: { status: 200, check: states('RUNNING', 'RUNNING') } };
  const create = { method: 'POST', path: '/connectors', body: { name, config: given } } as const;
  const follower = (what: string, row: Omit<RestRow, 'what' | 'via'>): RestRow => ({ what, via: 'follower', ...row });
  return [
    follower('may not be sent on', { ...create, path: '/connectors?forward=false', expect: tooManyHops }),
    follower('sent on; Location names who was asked', {
      ...create,
      expect: {
        status: 201,
        headers: { location: (base) => `${base}${at}`, 'content-type': 'application/json' },
        text: `"name":"${name}"`,
      },
    }),
    follower('again', { ...create, expect: failure(409, `Connector ${name} already exists`) }),
    runs,
    follower('invalid', {
      method: 'PUT',
      path: `${at}/config`,
      body: { ...given, 'tasks.max': '0' },
      expect: { status: 400, text: 'contains the following 1 error(s)' },
    }),
    follower('may not be sent on', { method: 'PUT', path: `${at}/config?forward=false`, body: given, expect: tooManyHops }),
    follower('sent on', {
      method: 'PUT',
      path: `${at}/config`,
      body: { ...given, more: '2' },
      expect: { status: 200, text: '"more":"2"' },
    }),
    { what: 'put', method: 'GET', path: `${at}/config`, expect: { status: 200, body: { ...given, more: '2', name } } },
    follower('may not be sent on', { method: 'PATCH', path: `${at}/config?forward=false`, body: { more: '3' }, expect: tooManyHops }),
    follower('sent on', { method: 'PATCH', path: `${at}/config`, body: { more: null }, expect: { status: 200, text: `"name":"${name}"` } }),
    { what: 'patched', method: 'GET', path: `${at}/config`, expect: { status: 200, body: { ...without(given, 'more'), name } } },
    runs,
    { what: 'may not be sent on', via: taskElsewhere, method: 'POST', path: `${at}/tasks/0/restart?forward=false`, expect: tooManyHops },
    { what: 'sent on to its owner', via: taskElsewhere, method: 'POST', path: `${at}/tasks/0/restart`, expect: empty(204) },
    runs,
    { what: 'may not be sent on', via: connectorElsewhere, method: 'POST', path: `${at}/restart?forward=false`, expect: tooManyHops },
    { what: 'sent on to its owner', via: connectorElsewhere, method: 'POST', path: `${at}/restart`, expect: empty(204) },
    runs,
    follower('may not be sent on', { method: 'POST', path: `${at}/restart?includeTasks=true&forward=false`, expect: tooManyHops }),
    follower('sent on to the leader', {
      method: 'POST',
      path: `${at}/restart?includeTasks=true`,
      expect: { status: 202, check: states('RESTARTING', 'RESTARTING') },
    }),
    runs,
    follower('only what failed: nothing', {
      method: 'POST',
      path: `${at}/restart?includeTasks=true&onlyFailed=true`,
      expect: { status: 202, check: states('RUNNING', 'RUNNING') },
    }),
    follower('any worker writes it', { method: 'PUT', path: `${at}/pause?forward=false`, expect: empty(202) }),
    { what: 'paused', method: 'GET', path: `${at}/status`, expect: { status: 200, check: states('PAUSED', 'PAUSED') } },
    follower('any worker writes it', { method: 'PUT', path: `${at}/resume?forward=false`, expect: empty(202) }),
    runs,
    follower('it runs', { method: 'PATCH', path: offsets, body: altered, expect: { status: 400, text: 'must be in the STOPPED state' } }),
    follower('may not be sent on', { method: 'PUT', path: `${at}/stop?forward=false`, expect: tooManyHops }),
    follower('sent on', { method: 'PUT', path: `${at}/stop`, expect: empty(204) }),
    { what: 'stopped', method: 'GET', path: `${at}/status`, expect: { status: 200, check: states('STOPPED') } },
    { what: 'stopped, and sent on to its owner', via: connectorElsewhere, method: 'POST', path: `${at}/restart`, expect: empty(204) },
    { what: 'still stopped', method: 'GET', path: `${at}/status`, expect: { status: 200, check: states('STOPPED') } },
    follower('stopped, and sent on to the leader', {
      method: 'POST',
      path: `${at}/restart?includeTasks=true`,
      expect: { status: 202, check: states('RESTARTING') },
    }),
    { what: 'still stopped', method: 'GET', path: `${at}/status`, expect: { status: 200, check: states('STOPPED') } },
    follower('may not be sent on', { method: 'PATCH', path: `${offsets}?forward=false`, body: altered, expect: tooManyHops }),
    follower('sent on', {
      method: 'PATCH',
      path: offsets,
      body: altered,
      expect: { status: 200, body: { message: 'The offsets for this connector have been altered successfully' } },
    }),
    { what: 'on every worker', method: 'GET', path: offsets, expect: { status: 200, body: altered } },
    follower('may not be sent on', { method: 'DELETE', path: `${offsets}?forward=false`, expect: tooManyHops }),
    follower('sent on', {
      method: 'DELETE',
      path: offsets,
      expect: { status: 200, body: { message: 'The offsets for this connector have been reset successfully' } },
    }),
    { what: 'on every worker', method: 'GET', path: offsets, expect: { status: 200, body: { offsets: [] } } },
    follower('resumed, wherever its tasks go', { method: 'PUT', path: `${at}/resume`, expect: empty(202) }),
    runs,
    follower('may not be sent on', { method: 'DELETE', path: `${at}?forward=false`, expect: tooManyHops }),
    follower('sent on', { method: 'DELETE', path: at, expect: empty(204) }),
    { what: 'gone', method: 'GET', path: at, expect: failure(404, `Connector ${name} not found`) },
    { what: 'gone', method: 'GET', path: `${at}/status`, expect: failure(404, `No status found for connector ${name}`) },
    follower('gone', { method: 'DELETE', path: at, expect: failure(404, `Connector ${name} not found`) }),
  ];
}

/** KIP-507: whoever cannot sign is no worker. */
export function internalRows({ prefix }: RestTableWorld): readonly RestRow[] {
  const tasks = { method: 'POST', path: `/connectors/${prefix}-none/tasks`, body: [] } as const;
  const fence = { method: 'PUT', path: `/connectors/${prefix}-none/fence` } as const;
  const missing = failure(400, 'Internal request missing required signature');
  const wrong = failure(403, 'Internal request contained invalid signature.');
  const signed = (algorithm: string) => ({
    'X-Connect-Authorization': Buffer.alloc(32, 7).toString('base64'),
    'X-Connect-Request-Signature-Algorithm': algorithm,
  });
  const unknown = (algorithm: string): Expected =>
    failure(
      400,
      `This worker does not support the '${algorithm}' key signing algorithm used by other workers. ` +
        "This worker is currently configured to use: [HmacSHA256]. Check that all workers' configuration files " +
        'permit the same set of signature algorithms, and correct any misconfigured worker and restart it.',
    );
  return (['leader', 'follower'] as const).flatMap((via): RestRow[] => [
    { what: `no signature, ${via}`, via, ...tasks, expect: missing },
    { what: `a wrong signature, ${via}`, via, ...tasks, headers: signed('HmacSHA256'), expect: wrong },
    { what: `an algorithm that is not allowed, ${via}`, via, ...tasks, headers: signed('HmacSHA1'), expect: unknown('HmacSHA1') },
    {
      what: `a signature that is none, ${via}`,
      via,
      ...tasks,
      headers: { ...signed('HmacSHA256'), 'X-Connect-Authorization': '%' },
      expect: wrong,
      connect: { status: 400, text: 'base64' },
    },
    {
      what: `a body that is none, ${via}`,
      via,
      ...tasks,
      body: {},
      expect: { status: 400, text: 'must be a JSON array' },
      connect: { status: 500 },
    },
    { what: `no signature, ${via}`, via, ...fence, expect: missing },
    { what: `a wrong signature, ${via}`, via, ...fence, headers: signed('HmacSHA256'), expect: wrong },
  ]);
}

interface Status {
  readonly connector: { readonly state: string };
  readonly tasks: readonly { readonly state: string }[];
}

function states(connector: string, ...tasks: readonly string[]): (found: Status) => void {
  return (found) => {
    assert.deepEqual(
      [found.connector, ...found.tasks].map(({ state }) => state),
      [connector, ...tasks],
    );
  };
}

function without(config: Readonly<Record<string, string>>, key: string): object {
  return Object.fromEntries(Object.entries(config).filter(([each]) => each !== key));
}

/** `/connectors`. Source: org.apache.kafka.connect.runtime.rest.resources.ConnectorsResource. */
import { Router } from 'express';

import { RequestError } from '../ports/herder.ts';
import type { Herder } from '../ports/herder.ts';
import type { TargetState } from '../ports/stores.ts';
import type { TaskId } from '../ports/tasks.ts';
import { connectorSummary } from './connector-summary.ts';
import { configOf, newConnectorOf, patchOf } from './request-body.ts';
import { accepted, flag, noContent, ok, resource } from './resource.ts';
import type { Answer, Call } from './resource.ts';

export interface TopicTracking {
  /** `topic.tracking.enable` */
  readonly enabled: boolean;
  /** `topic.tracking.allow.reset` */
  readonly resettable: boolean;
}

export function connectorsRouter(herder: Herder, tracking: TopicTracking): Router {
  const router = Router({ caseSensitive: true });
  const at = '/connectors/:name';
  resource(router, '/connectors', { GET: (call) => list(herder, call), POST: (call) => create(herder, call) });
  resource(router, at, {
    GET: async (call) => ok(await herder.connectorInfo(nameOf(call))),
    DELETE: async (call) => done(herder.deleteConnector(nameOf(call)), noContent),
  });
  resource(router, `${at}/config`, {
    GET: async (call) => ok(await herder.connectorConfig(nameOf(call))),
    PUT: (call) => putConfig(herder, call),
    PATCH: (call) => patchConfig(herder, call),
  });
  resource(router, `${at}/status`, { GET: async (call) => ok(await herder.status(nameOf(call))) });
  resource(router, `${at}/restart`, { POST: (call) => restart(herder, call) });
  const target = (state: TargetState, answer: Answer) => ({
    PUT: (call: Call) => done(herder.setTargetState(nameOf(call), state), answer),
  });
  resource(router, `${at}/pause`, target('PAUSED', accepted));
  resource(router, `${at}/resume`, target('STARTED', accepted));
  resource(router, `${at}/stop`, target('STOPPED', noContent));
  resource(router, `${at}/tasks`, { GET: async (call) => ok(await herder.taskConfigs(nameOf(call))) }, { alsoAllowed: ['POST'] });
  resource(router, `${at}/fence`, {}, { alsoAllowed: ['PUT'] });
  resource(router, `${at}/tasks/:task/status`, { GET: async (call) => ok(await herder.taskStatus(taskOf(call))) });
  resource(router, `${at}/tasks/:task/restart`, { POST: async (call) => done(herder.restartTask(taskOf(call)), noContent) });
  topics(router, herder, tracking);
  return router;
}

function topics(router: Router, herder: Herder, { enabled, resettable }: TopicTracking): void {
  resource(router, '/connectors/:name/topics', {
    GET: async (call) => {
      if (!enabled) throw new RequestError(403, 'Topic tracking is disabled.');
      const name = nameOf(call);
      return ok({ [name]: { topics: await herder.topics(name) } });
    },
  });
  resource(router, '/connectors/:name/topics/reset', {
    PUT: async (call) => {
      if (!enabled) throw new RequestError(403, 'Topic tracking is disabled.');
      if (!resettable) throw new RequestError(403, 'Topic tracking reset is disabled.');
      return done(herder.resetTopics(nameOf(call)), accepted);
    },
  });
}

const nameOf = (call: Call): string => call.param('name');

function taskOf(call: Call): TaskId {
  const text = call.param('task');
  const task = Number(text);
  // Connect's path parameter is a Java int: what is none matches no resource.
  if (!/^[+-]?\d+$/.test(text) || task !== (task | 0)) throw new RequestError(404, 'HTTP 404 Not Found');
  return { connector: nameOf(call), task };
}

async function done(work: Promise<void>, answer: Answer): Promise<Answer> {
  await work;
  return answer;
}

async function list(herder: Herder, call: Call): Promise<Answer> {
  const names = await herder.connectors();
  if (!call.query.has('expand')) return ok(names);
  const expansions = call.query.getAll('expand');
  const entries = await Promise.all(names.map((name) => expanded(herder, name, expansions)));
  return ok(Object.fromEntries(entries.flat()));
}

/** No entry for a connector that went away meanwhile. */
async function expanded(herder: Herder, name: string, expansions: readonly string[]): Promise<[string, object][]> {
  try {
    const wanted = (expansion: string): boolean => expansions.includes(expansion);
    const info = wanted('info') ? await herder.connectorInfo(name) : undefined;
    const status = wanted('status') || wanted('summary') ? await herder.status(name) : undefined;
    const summary = wanted('summary') && status ? connectorSummary(status, await herder.reports?.(name)) : undefined;
    return [[name, { ...(info && { info }), ...(wanted('status') && { status }), ...(summary && { summary }) }]];
  } catch (error) {
    if (error instanceof RequestError && error.status === 404) return [];
    throw error;
  }
}

async function create(herder: Herder, call: Call): Promise<Answer> {
  const { name, config, initialState } = newConnectorOf(call.body());
  checkName(name, config['name']);
  return created(call, await herder.createConnector(name, { ...config, name }, initialState));
}

async function putConfig(herder: Herder, call: Call): Promise<Answer> {
  const name = nameOf(call);
  const config = configOf(call.body());
  checkName(name, config['name']);
  const { created: isNew, info } = await herder.putConfig(name, { ...config, name });
  return isNew ? created(call, info) : ok(info);
}

async function patchConfig(herder: Herder, call: Call): Promise<Answer> {
  const name = nameOf(call);
  const patch = patchOf(call.body());
  if (Object.hasOwn(patch, 'name')) checkName(name, patch['name'] ?? 'null');
  return ok(await herder.patchConfig(name, patch));
}

function checkName(name: string, configured: string | undefined): void {
  if (configured === undefined || configured === name) return;
  throw new RequestError(400, `Connector name configuration (${configured}) doesn't match connector name in the URL (${name})`);
}

function created(call: Call, info: { readonly name: string }): Answer {
  return { status: 201, body: info, headers: { Location: `${call.origin}/connectors/${encodeURIComponent(info.name)}` } };
}

async function restart(herder: Herder, call: Call): Promise<Answer> {
  const includeTasks = flag(call.query, 'includeTasks', false);
  const onlyFailed = flag(call.query, 'onlyFailed', false);
  const plan = await herder.restartConnector(nameOf(call), { includeTasks, onlyFailed });
  return includeTasks || onlyFailed ? { status: 202, body: plan } : noContent;
}

import { failure } from './rest-row.ts';
import type { Expected, RestRow, RestTableWorld } from './rest-row.ts';

const seeAlso = 'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`';
const invalid = (...errors: string[]): Expected =>
  failure(
    400,
    `Connector configuration is invalid and contains the following ${errors.length} error(s):\n${errors.join('\n')}\n${seeAlso}`,
  );
const missingTopic = 'Missing required configuration "topic" which has no default value.';

/** Connect answers 500, in its JSON library's words, to what the client did wrong. */
const internalError: Expected = { status: 500 };

export function mistakeRows({ prefix, topic }: RestTableWorld): readonly RestRow[] {
  const name = `${prefix}-none`;
  const at = `/connectors/${name}`;
  const good = { 'connector.class': 'FileStreamSource', topic };
  const create = { method: 'POST', path: '/connectors' } as const;
  const put = { method: 'PUT', path: `${at}/config` } as const;
  const bad = (text: string | RegExp): Pick<RestRow, 'expect' | 'connect'> => ({ expect: { status: 400, text }, connect: internalError });
  return [
    { what: 'no JSON', ...create, text: '{bad', ...bad('The request body is not JSON: ') },
    { what: 'no body', ...create, ...bad('The request body is missing') },
    { what: 'an empty body', ...create, text: '', headers: { 'Content-Type': 'application/json' }, ...bad('The request body is missing') },
    { what: 'null', ...create, text: 'null', ...bad('The request body is null') },
    { what: 'an array', ...create, text: '[]', ...bad('The request body is an array') },
    { what: 'unknown field', ...create, body: { name, config: good, bogus: 1 }, ...bad('Unrecognized field \\"bogus\\"') },
    { what: 'no config', ...create, body: { name }, ...bad('The field \\"config\\" is missing') },
    {
      what: 'no such state',
      ...create,
      body: { name, config: good, initial_state: 'bogus' },
      ...bad('Invalid initial_state \\"bogus\\": it must be RUNNING, PAUSED or STOPPED'),
    },
    {
      what: 'no name',
      ...create,
      body: { config: good },
      expect: invalid('Invalid value  for configuration name: String may not be empty'),
    },
    { what: 'key missing', ...create, body: { name, config: { 'connector.class': 'FileStreamSource' } }, expect: invalid(missingTopic) },
    {
      what: 'two errors',
      ...create,
      body: { name, config: { 'connector.class': 'FileStreamSource', 'tasks.max': '0' } },
      expect: { status: 400, text: /contains the following 2 error\(s\):\\n/ },
    },
    {
      what: 'no class',
      ...create,
      body: { name, config: { topic } },
      // Connect shows the whole config, secrets and all.
      expect: { status: 400, text: 'contains no connector type' },
    },
    {
      what: 'unknown class',
      ...create,
      body: { name, config: { 'connector.class': 'com.example.NoSuchSource', topic } },
      expect: {
        status: 400,
        text: /Failed to find any class that implements Connector and which name matches com\.example\.NoSuchSource, available connectors are: /,
      },
    },
    {
      what: 'another name in the config',
      ...create,
      body: { name, config: { ...good, name: 'other' } },
      expect: failure(400, `Connector name configuration (other) doesn't match connector name in the URL (${name})`),
    },
    {
      what: 'another name in the config',
      ...put,
      body: { ...good, name: 'other' },
      expect: failure(400, `Connector name configuration (other) doesn't match connector name in the URL (${name})`),
    },
    { what: 'no JSON', ...put, text: '{bad', ...bad('The request body is not JSON: ') },
    { what: 'no body', ...put, ...bad('The request body is missing') },
    {
      what: 'a value that is an object',
      ...put,
      body: { ...good, topic: { a: 1 } },
      ...bad('The value of \\"topic\\" must be a string, but is an object'),
    },
    {
      what: 'a value that is a list',
      ...put,
      body: { ...good, topic: ['a'] },
      ...bad('The value of \\"topic\\" must be a string, but is an array'),
    },
    {
      what: 'null as a value',
      ...put,
      body: { ...good, topic: null },
      expect: { status: 400, text: 'Null value can not be supplied' },
      connect: null,
    },
    { what: 'invalid', ...put, body: { 'connector.class': 'FileStreamSource' }, expect: invalid(missingTopic) },
    {
      what: 'a rename',
      method: 'PATCH',
      path: `${at}/config`,
      body: { name: 'other' },
      expect: { status: 400, text: "doesn't match connector name" },
      connect: null,
    },
    { what: 'null', method: 'PATCH', path: `${at}/offsets`, text: 'null', ...bad('The request body is null') },
    {
      what: 'an offset that is a list',
      method: 'PATCH',
      path: `${at}/offsets`,
      body: { offsets: [{ partition: { a: [1] }, offset: null }] },
      expect: { status: 400, text: 'is an array: offsets and partitions hold strings' },
      connect: null,
    },
    ...missingRows(name),
  ];
}

/** Connect has a text of its own for each endpoint; clients know them. */
function missingRows(name: string): readonly RestRow[] {
  const at = `/connectors/${name}`;
  const notFound = failure(404, `Connector ${name} not found`);
  const unknown = failure(404, `Unknown connector ${name}`);
  return [
    { what: 'missing', method: 'GET', path: at, expect: notFound },
    { what: 'missing', method: 'GET', path: `${at}/config`, expect: notFound },
    { what: 'missing', method: 'GET', path: `${at}/tasks`, expect: notFound },
    { what: 'missing', method: 'DELETE', path: at, expect: notFound },
    { what: 'missing: never creates', method: 'PATCH', path: `${at}/config`, body: { topic: 't' }, expect: notFound },
    { what: 'missing', method: 'GET', path: `${at}/status`, expect: failure(404, `No status found for connector ${name}`) },
    { what: 'missing', method: 'GET', path: `${at}/tasks/0/status`, expect: failure(404, `No status found for task ${name}-0`) },
    { what: 'missing', method: 'PUT', path: `${at}/pause`, expect: unknown },
    { what: 'missing', method: 'PUT', path: `${at}/resume`, expect: unknown },
    { what: 'missing', method: 'PUT', path: `${at}/stop`, expect: unknown },
    { what: 'missing', method: 'POST', path: `${at}/restart`, expect: failure(404, `Unknown connector: ${name}`) },
    { what: 'missing', method: 'POST', path: `${at}/restart?onlyFailed=true`, expect: failure(404, `Unknown connector: ${name}`) },
    { what: 'missing', method: 'POST', path: `${at}/tasks/9/restart`, expect: failure(404, `Unknown connector: ${name}`) },
    { what: 'missing', method: 'GET', path: `${at}/topics`, expect: { status: 200, body: { [name]: { topics: [] } } } },
    { what: 'missing', method: 'PUT', path: `${at}/topics/reset`, expect: { status: 202, body: null } },
  ];
}

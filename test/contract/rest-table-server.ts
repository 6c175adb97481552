import assert from 'node:assert/strict';

import { failure, unrouted } from './rest-row.ts';
import type { RestRow } from './rest-row.ts';

interface Plugin {
  readonly class: string;
  readonly type: string;
  readonly version?: string;
}

const json = { 'content-type': 'application/json' };
const validate = '/connector-plugins/FileStreamSource/config/validate';

export function serverRows(): readonly RestRow[] {
  return [
    {
      what: 'versions and the cluster',
      method: 'GET',
      path: '/',
      expect: {
        status: 200,
        headers: json,
        check: (body: Record<string, string>) => assert.deepEqual(Object.keys(body), ['version', 'commit', 'kafka_cluster_id']),
      },
    },
    {
      what: 'healthy once it has started',
      method: 'GET',
      path: '/health',
      eventually: true,
      expect: {
        status: 200,
        body: { status: 'healthy', message: 'Worker has completed startup and is ready to handle requests.' },
      },
    },
    {
      what: 'no body',
      method: 'HEAD',
      path: '/connectors',
      expect: { status: 200, body: null, headers: { ...json, 'content-length': '2' } },
    },
    {
      what: 'the methods',
      method: 'OPTIONS',
      path: '/connectors',
      expect: { status: 200, headers: { allow: /^(?=.*\bGET\b)(?=.*\bPOST\b)(?=.*\bHEAD\b)(?=.*\bOPTIONS\b)/ } },
    },
    {
      what: 'connectors only, by default',
      method: 'GET',
      path: '/connector-plugins',
      expect: {
        status: 200,
        check: (plugins: Plugin[]) => {
          assert.ok(plugins.some((each) => each.type === 'source'));
          assert.ok(plugins.some((each) => each.type === 'sink'));
          assert.ok(plugins.every((each) => each.type === 'source' || each.type === 'sink'));
        },
      },
    },
    {
      what: 'every kind, asked as Python writes booleans',
      method: 'GET',
      path: '/connector-plugins?connectorsOnly=False',
      expect: {
        status: 200,
        check: (plugins: Plugin[]) => {
          for (const kind of ['converter', 'transformation'])
            assert.ok(
              plugins.some((each) => each.type === kind),
              kind,
            );
        },
      },
    },
    {
      what: 'a plugin’s definitions, by its alias',
      method: 'GET',
      path: '/connector-plugins/FileStreamSource/config',
      expect: { status: 200, check: checkDefinitions },
    },
    {
      what: 'a plugin that is not there',
      method: 'GET',
      path: '/connector-plugins/Nope/config',
      expect: failure(404, 'Unknown plugin Nope.'),
    },
    {
      what: 'errors by key',
      method: 'PUT',
      path: validate,
      body: { 'connector.class': 'FileStreamSource', name: 'v', 'tasks.max': 0 },
      expect: { status: 200, check: checkValidation },
    },
    {
      what: 'another class',
      method: 'PUT',
      path: validate,
      body: { 'connector.class': 'FileStreamSink' },
      expect: failure(400, 'Included connector type FileStreamSink does not match request type FileStreamSource'),
    },
    {
      what: 'no class',
      method: 'PUT',
      path: validate,
      body: {},
      expect: { status: 400, text: 'contains no connector type' },
      connect: { status: 500, text: 'contains no connector type' },
    },
    {
      what: 'root is among the loggers',
      method: 'GET',
      path: '/admin/loggers',
      expect: { status: 200, check: (all: object) => assert.ok('root' in all) },
    },
    { what: 'trailing slash', method: 'GET', path: '/admin/loggers/', expect: { status: 200 } },
    {
      what: 'nobody logs by that name',
      method: 'GET',
      path: '/admin/loggers/rest.table.nope',
      expect: failure(404, 'Logger rest.table.nope not found.'),
    },
    {
      what: 'a new logger',
      via: 'first',
      method: 'PUT',
      path: '/admin/loggers/rest.table.one',
      body: { level: 'debug' },
      expect: { status: 200, body: ['rest.table.one'] },
    },
    {
      what: 'its children follow',
      via: 'first',
      method: 'PUT',
      path: '/admin/loggers/rest.table?scope=nonsense',
      body: { level: 'ERROR' },
      expect: { status: 200, body: ['rest.table', 'rest.table.one'] },
    },
    {
      what: 'the level that was set',
      via: 'first',
      method: 'GET',
      path: '/admin/loggers/rest.table.one',
      expect: {
        status: 200,
        check: (it: { level: string; last_modified: unknown }) => {
          assert.equal(it.level, 'ERROR');
          assert.equal(typeof it.last_modified, 'number');
        },
      },
    },
    {
      what: 'cluster',
      method: 'PUT',
      path: '/admin/loggers/rest.table?scope=CLUSTER',
      body: { level: 'INFO' },
      expect: { status: 204, body: null },
    },
    {
      what: 'set on every worker',
      method: 'GET',
      path: '/admin/loggers/rest.table',
      expect: { status: 200, text: '"level":"INFO"' },
      eventually: true,
    },
    {
      what: 'no such level',
      method: 'PUT',
      path: '/admin/loggers/x',
      body: { level: 'bogus' },
      expect: failure(404, "invalid log level 'bogus'."),
    },
    {
      what: 'no level',
      method: 'PUT',
      path: '/admin/loggers/x',
      body: {},
      expect: failure(400, "Desired 'level' parameter was not specified in request."),
    },
    { what: 'unknown', method: 'GET', path: '/nope', expect: unrouted(404, 'Not Found') },
    { what: 'paths have a case', method: 'GET', path: '/Connectors', expect: unrouted(404, 'Not Found') },
    { what: 'gone since 4.0', method: 'GET', path: '/connectors/x/tasks-config', expect: unrouted(404, 'Not Found') },
    { what: 'not a number', method: 'GET', path: '/connectors/x/tasks/one/status', expect: failure(404, 'HTTP 404 Not Found') },
    { what: 'wrong method', method: 'DELETE', path: '/connectors', expect: unrouted(405, 'Method Not Allowed') },
    { what: 'wrong Accept', method: 'GET', path: '/connectors', headers: { Accept: 'text/html' }, expect: unrouted(406, 'Not Acceptable') },
    {
      what: 'an Accept that JSON fits',
      method: 'GET',
      path: '/connectors',
      headers: { Accept: 'text/html, application/*;q=0.5' },
      expect: { status: 200 },
    },
    {
      what: 'wrong Content-Type',
      method: 'POST',
      path: '/connectors',
      text: '{}',
      headers: { 'Content-Type': 'text/plain' },
      expect: unrouted(415, 'Unsupported Media Type'),
    },
    {
      what: 'wrong Content-Type of an action',
      method: 'PUT',
      path: '/connectors/x/pause',
      headers: { 'Content-Type': 'text/plain' },
      expect: unrouted(415, 'Unsupported Media Type'),
    },
    {
      what: 'a GET may have one',
      method: 'GET',
      path: '/connectors',
      headers: { 'Content-Type': 'application/json; charset=utf-8' },
      expect: { status: 200 },
    },
    { what: 'a name with a broken escape', method: 'GET', path: '/connectors/%zz', expect: { status: 400 } },
  ];
}

const definitionKeys = 'name,type,required,default_value,importance,documentation,group,width,display_name,dependents,order'.split(',');

function checkDefinitions(definitions: Record<string, unknown>[]): void {
  assert.deepEqual(Object.keys(definitions[0] ?? {}), definitionKeys);
  const topic = definitions.find((each) => each['name'] === 'topic');
  assert.deepEqual([topic?.['type'], topic?.['required'], topic?.['default_value']], ['STRING', true, null]);
}

interface Validation {
  readonly name: string;
  readonly error_count: number;
  readonly groups: readonly string[];
  readonly configs: readonly {
    readonly value: { readonly name: string; readonly value: string | null; readonly errors: readonly string[] };
  }[];
}

function checkValidation(found: Validation): void {
  assert.equal(found.name, 'FileStreamSource');
  assert.equal(found.error_count, 2);
  assert.ok(found.groups.includes('Common'));
  const errors = (key: string): readonly string[] | undefined => found.configs.find(({ value }) => value.name === key)?.value.errors;
  assert.deepEqual(errors('topic'), ['Missing required configuration "topic" which has no default value.']);
  assert.deepEqual(errors('tasks.max'), ['Invalid value 0 for configuration tasks.max: Value must be at least 1']);
}

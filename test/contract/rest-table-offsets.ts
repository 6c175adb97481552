import { failure } from './rest-row.ts';
import type { RestRow, RestTableWorld } from './rest-row.ts';

const needed = failure(400, 'Partitions / offsets need to be provided for an alter offsets request');

export function offsetRows({ inputFile, topic, prefix }: RestTableWorld): readonly RestRow[] {
  const name = `${prefix}-offsets`;
  const at = `/connectors/${name}`;
  const offsets = `${at}/offsets`;
  const config = { 'connector.class': 'FileStreamSource', topic, file: inputFile };
  const notStopped = failure(
    400,
    'Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified ' +
      `connector by issuing a 'PUT' request to the '${at}/stop' endpoint`,
  );
  const partition = { filename: inputFile };
  const one = { offsets: [{ partition, offset: { position: 2 } }] };
  // Beyond what a double holds: written as text, since no JavaScript number has these digits.
  const exact = `{"offsets":[{"partition":${JSON.stringify(partition)},"offset":{"position":9007199254740993}}]}`;
  /** By the connector; a 500 in Connect. */
  const refused = [
    ['a partition without its key', { partition: {}, offset: { position: 2 } }, "Partition objects should contain the key 'filename'"],
    ['an offset without its key', { partition, offset: {} }, "Offset objects should either be null or contain the key 'position'"],
    ['a negative position', { partition, offset: { position: -1 } }, /position.*-1|-1.*position|non-negative/],
  ] as const;
  return [
    {
      what: 'nobody there',
      method: 'GET',
      path: `/connectors/${prefix}-none/offsets`,
      expect: failure(404, `Connector ${prefix}-none not found`),
    },
    {
      what: 'nobody there',
      method: 'PATCH',
      path: `/connectors/${prefix}-none/offsets`,
      body: one,
      expect: failure(404, `Connector ${prefix}-none not found`),
    },
    {
      what: 'nobody there',
      method: 'DELETE',
      path: `/connectors/${prefix}-none/offsets`,
      expect: failure(404, `Connector ${prefix}-none not found`),
    },
    { what: 'created', method: 'PUT', path: `${at}/config`, body: config, expect: { status: 201 } },
    { what: 'runs', method: 'GET', path: `${at}/status`, expect: { status: 200, text: '"id":0,"state":"RUNNING"' }, eventually: true },
    { what: 'it runs', method: 'PATCH', path: offsets, body: one, expect: notStopped },
    { what: 'it runs', method: 'DELETE', path: offsets, expect: notStopped },
    { what: 'paused', method: 'PUT', path: `${at}/pause`, expect: { status: 202 } },
    { what: 'it is only paused', method: 'DELETE', path: offsets, expect: notStopped },
    { what: 'stopped', method: 'PUT', path: `${at}/stop`, expect: { status: 204 } },
    { what: 'is stopped', method: 'GET', path: `${at}/status`, expect: { status: 200, text: '"tasks":[]' }, eventually: true },
    {
      what: 'where the task stood',
      method: 'GET',
      path: offsets,
      expect: { status: 200, text: /^\{"offsets":\[\{"partition":\{"filename":"[^"]+"\},"offset":\{"position":\d+\}\}\]\}$/ },
      eventually: true,
      running: true,
    },
    { what: 'none given', method: 'PATCH', path: offsets, body: {}, expect: needed },
    { what: 'empty', method: 'PATCH', path: offsets, body: { offsets: [] }, expect: needed },
    {
      what: 'no partition',
      method: 'PATCH',
      path: offsets,
      body: { offsets: [{ partition: null, offset: { position: 2 } }] },
      expect: { status: 400, text: 'must be a JSON object' },
      connect: { status: 500, text: 'Partition objects cannot be null' },
    },
    ...refused.map(([what, bad, text]): RestRow => ({
      what,
      method: 'PATCH',
      path: offsets,
      body: { offsets: [bad] },
      expect: { status: 400, text },
      connect: { status: 500, text },
      running: true,
    })),
    {
      what: 'altered, every digit kept',
      method: 'PATCH',
      path: offsets,
      text: exact,
      expect: { status: 200, body: { message: 'The offsets for this connector have been altered successfully' } },
    },
    { what: 'every digit', method: 'GET', path: offsets, expect: { status: 200, text: '"position":9007199254740993' }, eventually: true },
    {
      what: 'reset',
      method: 'DELETE',
      path: offsets,
      expect: { status: 200, body: { message: 'The offsets for this connector have been reset successfully' } },
    },
    { what: 'none left', method: 'GET', path: offsets, expect: { status: 200, body: { offsets: [] } }, eventually: true },
    { what: 'done', method: 'DELETE', path: at, expect: { status: 204 } },
  ];
}

/** Keys of our own, and what both peers call the same. */
import { defineConfig } from '@millrace/runtime/api';

export const sharedKeys = defineConfig({
  // Without a rule: what breaks one is quoted, and a URL may hold a password.
  'connection.url': {
    type: 'string',
    importance: 'high',
    group: 'Connection',
    doc: 'Where to write: jdbc:postgresql://host:port/database?parameters.',
  },
  'connection.password': {
    type: 'password',
    default: null,
    importance: 'high',
    group: 'Connection',
    doc: 'Password of the user.',
  },
  'unavailable.value.placeholder': {
    type: 'string',
    default: '__debezium_unavailable_value',
    importance: 'low',
    group: 'Millrace',
    doc: 'Stands in records for a large value that did not change: its column is left as it is.',
  },
  'millrace.offsets.table': {
    type: 'string',
    default: 'millrace_sink_offsets',
    importance: 'medium',
    group: 'Millrace',
    doc: 'Table of the target in which positions are kept, written together with the rows so that a replay changes nothing. Empty: none is kept, and records may come twice.',
  },
  'millrace.origin': {
    type: 'string',
    default: '',
    importance: 'medium',
    group: 'Millrace',
    doc: 'Rows are written under the replication origin <this>_<connector>_<task>, which source-postgres can be told to skip (millrace.skip.origins). Empty: under none. Each task takes an origin of the server for good.',
  },
});

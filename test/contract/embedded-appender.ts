/** A process for the kill -9 tests: appends numbered pairs to partitions 0 and 1 in one call each, and prints what was acknowledged. */
import { writeSync } from 'node:fs';

import { openEmbeddedLog } from '../../runtime/embedded/embedded-log.ts';
import { batchOf } from './log-fixture.ts';

const [directory = '', first = '0', synchronous = 'normal'] = process.argv.slice(2);
const log = await openEmbeddedLog(directory, {
  synchronous: synchronous === 'full' ? 'full' : 'normal',
  defaultPartitions: 2,
  maintenanceIntervalMs: 20,
});
await log.createTopics([{ name: 'numbers', partitions: 2 }]);
const producer = await log.openProducer({ clientId: 'appender' });
let next = Number(first);

async function appendForever(): Promise<void> {
  for (;;) {
    const number = next++;
    const filler = 'x'.repeat((number * 7919) % 30_000);
    await producer.append([batchOf('numbers', 0, [`${number}`, filler]), batchOf('numbers', 1, [`${number}`])]);
    writeSync(1, `${number}\n`);
  }
}
writeSync(1, 'ready\n');
await Promise.all(Array.from({ length: 8 }, appendForever));

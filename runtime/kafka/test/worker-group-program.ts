/** One member in a process of its own: brokers, group, name. Prints its events, a line each. */
import { joinNamed } from './worker-group-fixture.ts';

const [brokers = '', groupId = '', name = ''] = process.argv.slice(2);
await joinNamed(brokers.split(','), groupId, name, { onEvent: (event) => console.log(event) });

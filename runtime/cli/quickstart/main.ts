/** `npm start`: a small shop on PostgreSQL, one worker on the embedded log, and the shop's changes in files. */
import { ConnectError } from '../../api/index.ts';
import { quickstartHelp, quickstartOptions } from './quickstart-options.ts';
import { runQuickstart } from './quickstart.ts';
import { interruption } from './interruption.ts';

try {
  const options = quickstartOptions(process.argv.slice(2));
  if (options === undefined) console.log(quickstartHelp);
  else await runQuickstart(options, process.stdout, interruption());
} catch (error) {
  // What a person can act on needs no stack.
  console.error(error instanceof ConnectError ? error.message : error);
  process.exitCode = 1;
}
// Whatever a library left open must not keep a finished program alive.
process.exit();

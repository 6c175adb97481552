import { ConnectError } from '../../api/index.ts';
import { interruption } from './interruption.ts';
import { quickstartHelp, quickstartOptions } from './quickstart-options.ts';
import { runQuickstart } from './quickstart.ts';

/** Resolves with the exit code. */
export async function quickstart(args: readonly string[]): Promise<number> {
  try {
    const options = quickstartOptions(args);
    if (options === undefined) console.log(quickstartHelp);
    else await runQuickstart(options, process.stdout, interruption());
    return 0;
  } catch (error) {
    // What a person can act on needs no stack.
    console.error(error instanceof ConnectError ? error.message : error);
    return 1;
  }
}

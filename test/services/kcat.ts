import { requireCommand, run } from './command.ts';

/** Runs kcat, a reader of Kafka that is neither ours nor Java's, and gives what it prints. */
export async function kcat(args: readonly string[], input?: string): Promise<string> {
  return run(await requireCommand('kcat', 'kcat'), args, input === undefined ? {} : { input });
}

/** The command line: what there is, and what each exit code means. The work is done by the functions it is given. */
import type { Writable } from 'node:stream';

import { Command, CommanderError, Option } from 'commander';

import { applyCommand } from './apply-command.ts';
import { deadLettersCommand } from './dead-letters-command.ts';
import { previewCommand } from './preview-command.ts';
import { errorText, exitCodeOf, exitCodes } from './report-error.ts';
import { examples, topicCommand } from './topic-command.ts';
import type { TopicDeps } from './topic-command.ts';

export interface CliDeps {
  readonly version: string;
  /** Runs until it is told to stop; deals with signals itself. */
  readonly runStandalone: (workerFile: string, connectorFiles: readonly string[]) => Promise<void>;
  /** The same, as one of several. */
  readonly runDistributed: (workerFile: string) => Promise<void>;
  readonly openLog: TopicDeps['openLog'];
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** Ends `topic read`; SIGINT and SIGTERM when left out. */
  readonly signal?: AbortSignal;
}

/** `exitWith` is called with the code of a command that ends with another one than 0 and has nothing to complain about. */
export function createProgram(deps: CliDeps, exitWith: (code: number) => void = () => {}): Command {
  const { stdout = process.stdout, stderr = process.stderr, signal } = deps;
  const program = new Command('millrace')
    .description('Moves changes out of databases into the places where people use them: Kafka Connect and Debezium without the JVM.')
    .version(deps.version)
    .option('--debug', 'print the stack of an error')
    .helpCommand(false)
    .addHelpText(
      'after',
      `${examples('standalone worker.properties connector.json')}\nExit codes: 0 done, 1 failed, 2 a wrong command, file or setting.`,
    );
  program.addCommand(standaloneCommand(deps));
  program.addCommand(distributedCommand(deps));
  program.addCommand(topicCommand({ openLog: deps.openLog, stdout, untilStopped: () => signal ?? interrupted() }));
  program.addCommand(applyCommand({ stdout, stderr, env: process.env, exitWith }));
  program.addCommand(previewCommand({ stdout, stderr, env: process.env, exitWith }));
  program.addCommand(deadLettersCommand({ stdout, stderr, env: process.env, exitWith }));
  for (const command of everyCommand(program)) {
    if (command !== program) command.addOption(new Option('--debug').hideHelp());
    command.exitOverride().configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text.replace(/^error: /, 'millrace: ')),
    });
  }
  return program;
}

/** Runs one command line, such as `['standalone', 'worker.properties']`; returns the exit code, having said why on stderr. */
export async function runCli(args: readonly string[], deps: CliDeps): Promise<number> {
  let code: number = exitCodes.ok;
  const program = createProgram(deps, (other) => {
    code = other;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    (deps.stderr ?? process.stderr).write(errorText(error, args.includes('--debug')));
    return exitCodeOf(error);
  }
}

function standaloneCommand(deps: CliDeps): Command {
  return new Command('standalone')
    .description('run one worker, with the connectors of these files and those that REST adds')
    .argument('<worker-file>', 'Kafka Connect’s worker .properties, or the same keys as JSON')
    .argument('[connector-files...]', 'connectors: {"name", "config"}, flat JSON, or .properties')
    .addHelpText(
      'after',
      `${examples('standalone worker.properties', 'standalone worker.json orders.json archive.json')}
bootstrap.servers in the worker file chooses the log: brokers, or embedded:DIR for a log in that folder.
SIGTERM and SIGINT stop it: tasks flush and commit before it ends.
`,
    )
    .action((workerFile: string, connectorFiles: string[]) => deps.runStandalone(workerFile, connectorFiles));
}

function distributedCommand(deps: CliDeps): Command {
  return new Command('distributed')
    .description('run one worker of a cluster: those with the same group.id share connectors and tasks')
    .argument('<worker-file>', 'Kafka Connect’s worker .properties, or the same keys as JSON')
    .addHelpText(
      'after',
      `${examples('distributed worker.properties')}
Connectors are made by REST, on any worker of the group, or with: millrace apply DIR
SIGTERM and SIGINT stop it: tasks flush and commit, and the other workers take them over at once.
`,
    )
    .action((workerFile: string) => deps.runDistributed(workerFile));
}

function everyCommand(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}

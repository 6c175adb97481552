/** What both connectors have in common, once their configs are settings. */
import { ConfigError, ConnectError, RetriableError } from '@millrace/runtime/api';
import type { ConfigProblem, RawConfig, SinkTask, SinkTaskContext } from '@millrace/runtime/api';

import { ignoredParameters } from './address.ts';
import { connect, endClient } from './connection.ts';
import { codeOf } from './errors.ts';
import { driverParameter, settingsProblems } from './settings.ts';
import type { Settings } from './settings.ts';
import { sinkTask } from './task.ts';

/** Keys with names in them: parameters of the driver, and of the JVM's own. */
export const alsoKnows = (key: string): boolean => driverParameter(key) !== undefined;

/** Asks the target too; one that cannot be reached now may be there when the task starts. */
export async function problemsOf(read: () => Settings, raw: RawConfig): Promise<readonly ConfigProblem[]> {
  let settings: Settings;
  try {
    settings = read();
  } catch (error) {
    if (error instanceof ConfigError) return [{ key: 'connection.url', message: error.message }];
    throw error;
  }
  const problems = settingsProblems(settings, raw);
  if (problems.length > 0) return problems;
  try {
    await endClient(await connect(settings));
    return [];
  } catch (error) {
    if (error instanceof RetriableError || !(error instanceof ConnectError)) return [];
    const isUser = codeOf(error.cause)?.startsWith('28') === true;
    return [{ key: isUser ? settings.keyNames.user : 'connection.url', message: error.message }];
  }
}

export function startTask(settings: Settings, context: SinkTaskContext): SinkTask {
  const [problem] = settingsProblems(settings, context.rawConfig);
  if (problem !== undefined) throw new ConfigError(problem.message);
  const ignored = ignoredParameters(settings.address);
  if (ignored.length > 0) context.log.warn(`connector ${settings.connector}: connection.url: ${ignored.join(', ')} has no effect here`);
  return sinkTask(settings, context);
}

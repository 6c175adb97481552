/** Asks the server about every config that is to be written, before the first one is. */
import { AnswerError } from './connect-client.ts';
import type { ConnectApi } from './connect-api.ts';
import type { FileProblem } from './connector-folder.ts';
import { inParallel } from './in-parallel.ts';
import { isSecretKey, withoutSecrets } from './masking.ts';
import type { Change } from './plan.ts';

export interface ChangeValidation {
  readonly problems: readonly FileProblem[];
  /** What placeholders stand for, as far as the answers tell: to be kept out of all messages. */
  readonly resolved: readonly string[];
}

export async function validateChanges(changes: readonly Change[], api: ConnectApi, secrets: readonly string[]): Promise<ChangeValidation> {
  const answers = await inParallel(changes, (change) => validateChange(change, api, secrets));
  return { problems: answers.flatMap(({ problems }) => problems), resolved: answers.flatMap(({ resolved }) => resolved) };
}

async function validateChange(change: Change, api: ConnectApi, secrets: readonly string[]): Promise<ChangeValidation> {
  if (change.action === 'delete') return { problems: [], resolved: [] };
  const { connector, config } = change;
  const { file } = connector;
  try {
    const keys = await api.validate(config);
    const resolved = keys.flatMap(({ name, value }) =>
      value !== null && value !== config[name] && hidesValue(config[name]) ? [value] : [],
    );
    const hidden = [...secrets, ...resolved];
    const problems = keys.flatMap(({ name: key, errors }) =>
      errors.map((error): FileProblem => {
        const text =
          hidesValue(config[key]) || isSecretKey(key)
            ? error.replace(/Invalid value [^]*? for configuration /, 'Invalid value *** for configuration ')
            : error;
        return { file, key, reason: withoutSecrets(text, hidden) };
      }),
    );
    return { problems, resolved };
  } catch (error) {
    if (!(error instanceof AnswerError) || error.status === 401 || error.status === 403) throw error;
    return { problems: [{ file, reason: withoutSecrets(plainly(error.message), secrets) }], resolved: [] };
  }
}

/** Only the server knows what stands in place of a placeholder. */
const hidesValue = (value: string | undefined): boolean => value?.includes('${') === true;

/** The first line, without the class that Connect's 500s begin with, and without its list of a hundred plugins. */
function plainly(message: string): string {
  const line = message.replace(/^[\w.]+\.\w+(?:Exception|Error): /, '').split('\n', 1)[0] ?? '';
  return line.replace(/, available connectors are: .*$/, '. Is its plugin installed on every worker?');
}

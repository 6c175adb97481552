/** `node limited-writer.ts FILE`: writes lines until the system refuses one, tries again, and prints what it was told. */
import { startAt } from './file-task.ts';

const [file = ''] = process.argv.slice(2);
let committed = 0;

async function untilRefused(): Promise<string> {
  const run = await startAt(committed, { file });
  try {
    for (let next = committed; ; next += 70) {
      await run.put(next, next + 70);
      committed = await run.commit(next + 70);
    }
  } catch (error) {
    return (error as Error).message;
  }
}

const message = await untilRefused();
const again = await untilRefused();
console.log(JSON.stringify({ committed, message, again }));

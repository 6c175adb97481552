/** `node endless-writer.ts FILE OFFSET`: writes lines until it is killed, and prints each offset that it commits. */
import { writeSync } from 'node:fs';
import { record, startAt } from './file-task.ts';

const [file = '', offset = '0'] = process.argv.slice(2);
const { task, commit } = await startAt(Number(offset), { file });
for (let next = Number(offset); ; next += 200) {
  const padding = 'x'.repeat(next % 977);
  await task.put(Array.from({ length: 200 }, (_, i) => record(`line ${next + i} ${padding}`, { offset: next + i })));
  if (next % 1000 === 0) {
    await commit(next + 200);
    writeSync(1, `${next + 200}\n`);
  }
}

import type { PreviewContext, SourceRecord } from '@millrace/runtime/api';
import { openInput } from './input.ts';
import { lineSplitter } from './line-splitter.ts';
import { lineRecord } from './task.ts';

/** The file's lines from its beginning, as they are by now. */
export async function* previewLines(file: string | null, topic: string, context: PreviewContext): AsyncGenerator<SourceRecord> {
  const { connector, signal, note } = context;
  if (file === null) return note('the standard input is not read for a preview: set "file".');
  await using input = await openInput(file, 0, connector);
  if (input === undefined) return note(`there is no file ${file} yet: the connector waits for it.`);
  const lines = lineSplitter(0);
  let found = 0;
  let bytes = 0;
  let end = 0;
  for (let chunk = await input.read(signal); chunk !== undefined && !signal.aborted; chunk = await input.read(signal)) {
    bytes += chunk.length;
    lines.push(chunk);
    for (let line = lines.next(); line !== undefined; line = lines.next()) {
      found++;
      end = line.endPosition;
      yield lineRecord(topic, { filename: file }, line);
    }
  }
  if (bytes === 0) note(`file ${file} is empty.`);
  else if (end < bytes) note(`file ${file} ends in a line without a line end, which is read when its end is written.`);
  if (found > 0) note('lines are shown from the beginning of the file, wherever a connector of this name stands.');
}

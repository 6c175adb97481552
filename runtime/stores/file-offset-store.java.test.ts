/** Needs a JDK: the real HashMap reads what we wrote, and writes what we read. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { fileOffsetStore } from './file-offset-store.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offset-file-'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** As FileOffsetBackingStore: reads the first file, prints it, and writes it, with one key more, to the second. */
const program = `
import java.io.*; import java.nio.charset.StandardCharsets; import java.util.*;
public class Offsets {
  public static void main(String[] args) throws Exception {
    HashMap<byte[], byte[]> map;
    try (ObjectInputStream in = new ObjectInputStream(new FileInputStream(args[0]))) { map = (HashMap<byte[], byte[]>) in.readObject(); }
    TreeMap<String, String> sorted = new TreeMap<>();
    map.forEach((k, v) -> sorted.put(text(k), text(v)));
    sorted.forEach((k, v) -> System.out.println(k + " " + v));
    byte[] same = bytes("[\\"java\\",{\\"p\\":1}]");
    map.put(same, bytes("{\\"at\\":9007199254740993}"));
    map.put(bytes("[\\"gone\\",{}]"), null);
    try (ObjectOutputStream out = new ObjectOutputStream(new FileOutputStream(args[1]))) { out.writeObject(map); }
  }
  static String text(byte[] b) { return b == null ? "null" : new String(b, StandardCharsets.UTF_8); }
  static byte[] bytes(String s) { return s.getBytes(StandardCharsets.UTF_8); }
}`;

test('Java reads the offset file that we wrote, and we read the one that Java wrote', async () => {
  const [ours, theirs, source] = [join(folder, 'deep', 'ours'), join(folder, 'theirs'), join(folder, 'Offsets.java')];
  await using store = fileOffsetStore(ours);
  await store.start();
  await Promise.all([
    store.write('a', [{ partition: { server: 's' }, offset: { lsn: 271387784n, last: null } }]),
    store.write('b', [{ partition: { filename: '/x' }, offset: { position: 10 } }]),
    store.write('c', [{ partition: { n: 1 }, offset: { n: 1 } }]),
  ]);
  await store.write('c', [{ partition: { n: 1n }, offset: null }]);
  assert.deepEqual(await readdir(join(folder, 'deep')), ['ours']);

  await writeFile(source, program);
  const { stdout } = await promisify(execFile)('java', [source, ours, theirs]);
  assert.equal(stdout, '["a",{"server":"s"}] {"lsn":271387784,"last":null}\n["b",{"filename":"/x"}] {"position":10}\n');

  await using again = fileOffsetStore(theirs);
  await again.start();
  assert.deepEqual(await again.read('java', [{ p: 1 }, { p: 2 }]), [{ at: 9007199254740993n }, undefined]);
  assert.deepEqual(await again.all('a'), [{ partition: { server: 's' }, offset: { lsn: 271387784n, last: null } }]);
  assert.deepEqual(await again.all('gone'), []);
});

test('a file of something else is refused, and left alone', async () => {
  const path = join(folder, 'other');
  await writeFile(path, '{}');
  await assert.rejects(fileOffsetStore(path).start(), /offset file .*other: not a serialised java.util.HashMap/);
  assert.equal(await readFile(path, 'utf8'), '{}');
});

#!/usr/bin/env node
// Parses on any Node since 12.20, so that an old one gets this line instead of a SyntaxError.
import { existsSync } from 'node:fs';
import nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';

const needed = [24, 6];
const parts = process.versions.node.split('.').map(Number);

if (parts[0] < needed[0] || (parts[0] === needed[0] && parts[1] < needed[1])) {
  process.stderr.write(
    'millrace: needs Node.js ' +
      needed.join('.') +
      ' or newer, but this is ' +
      process.versions.node +
      '. Get it from https://nodejs.org, or run: npx --package node@24 --package millrace millrace ' +
      process.argv.slice(2).join(' ') +
      '\n',
  );
  process.exitCode = 2;
} else {
  // Threads that have come to rest collect their garbage themselves. Compiled code is only good for the same flags:
  // they are set before any is loaded.
  v8.setFlagsFromString('--expose-gc');
  // Compiled code is kept for the next start, and for this worker's threads: in a checkout each would otherwise
  // load a compiler of its own, 14 MB each.
  var cache = nodeModule.enableCompileCache();
  if (cache.directory) process.env.NODE_COMPILE_CACHE = cache.directory;
  // All threads share Node's pool for files and names: with its usual four threads, one connector whose file access
  // hangs would stop all others.
  if (!process.env.UV_THREADPOOL_SIZE) process.env.UV_THREADPOOL_SIZE = '64';
  // In a checkout the source itself runs; a published package holds it compiled.
  const source = new URL('../main.ts', import.meta.url);
  void import(existsSync(fileURLToPath(source)) ? source.href : new URL('../main.js', import.meta.url).href);
}

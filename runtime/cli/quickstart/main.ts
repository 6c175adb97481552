/** `npm start`: a small shop on PostgreSQL, one worker on the embedded log, and the shop's changes in files. */
import { enableCompileCache } from 'node:module';

// Compiled code is kept for the next start, and for the worker's threads. It has to be said before the rest is loaded.
const { directory } = enableCompileCache();
if (directory !== undefined) process.env['NODE_COMPILE_CACHE'] = directory;

const { quickstart } = await import('./command.ts');
process.exitCode = await quickstart(process.argv.slice(2));
// Whatever a library left open must not keep a finished program alive.
process.exit();

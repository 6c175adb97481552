// Runs before the npm scripts, on whatever Node.js there is (18 and later): installs the packages
// when those that are there do not fit package-lock.json, and says so while it does. Among them is
// the Node.js that the scripts themselves then run on.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, 'node_modules', '.millrace-installed');
const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

const wanted = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
const present = () => (existsSync(stamp) && existsSync(node) ? readFileSync(stamp, 'utf8') : '');

function install() {
  // --no-save: another version of npm would rewrite the lock file in its own manner.
  // --include=dev: the Node.js to run on is a development dependency, whatever NODE_ENV says.
  const args = ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error', '--progress=false'];
  const npm = process.env.npm_execpath;
  const options = { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] };
  const child = npm ? spawn(process.execPath, [npm, ...args], options) : spawn('npm', args, { ...options, shell: true });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`npm install ended with exit code ${code}`))));
  });
}

if (present() !== wanted()) {
  const began = Date.now();
  const first = !existsSync(node);
  const what = first ? 'packages, among them Node.js 24 and PostgreSQL (about 150 MB)' : 'packages';
  process.stderr.write(`Installing ${what} …`);
  const dots = setInterval(() => process.stderr.write('.'), 1000);
  try {
    await install();
  } catch (error) {
    process.stderr.write(`\nThe packages could not be installed: ${error.message}. Is the npm registry reachable?\n`);
    process.exit(1);
  } finally {
    clearInterval(dots);
  }
  if (!existsSync(node)) {
    process.stderr.write(`\nNode.js 24 did not come with the packages: npm is set up not to run install scripts (ignore-scripts).\n`);
    process.stderr.write(`Run: npm install --ignore-scripts=false\n`);
    process.exit(1);
  }
  writeFileSync(stamp, wanted());
  process.stderr.write(` done in ${Math.round((Date.now() - began) / 1000)} s\n`);
}

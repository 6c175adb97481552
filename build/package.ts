/**
 * Compiles what `npm pack` puts into the tarball: `dist/` holds the runtime and the connectors side by side, as in a
 * checkout, in plain JavaScript, since Node strips no types below node_modules.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { dependencyProblems, packagedManifest } from './manifests.ts';
import type { Manifest } from './manifests.ts';

const root = dirname(import.meta.dirname);
const dist = join(root, 'dist');
const api = join(dist, 'runtime', 'api', 'index.js');

const packages = globSync(['runtime', 'connectors/*', 'libs/*'], { cwd: root }).filter((folder) =>
  existsSync(join(root, folder, 'package.json')),
);
const manifests = packages.map((folder) => ({ folder, manifest: readManifest(folder) }));

const problems = dependencyProblems(readManifest('.'), manifests);
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(root, 'build')], { stdio: 'inherit' });

for (const { folder, manifest } of manifests) {
  writeFileSync(join(made(join(dist, folder)), 'package.json'), `${JSON.stringify(packagedManifest(manifest), undefined, 2)}\n`);
}
for (const file of globSync(['runtime/**/*.mjs', 'connectors/*/README.md'], { cwd: root, exclude: ['**/node_modules/**'] })) {
  copyFileSync(join(root, file), join(made(join(dist, dirname(file))), file.slice(dirname(file).length + 1)));
}
for (const file of globSync('**/*.{js,d.ts}', { cwd: dist })) finish(join(dist, file));

/** Makes what the compiler emitted resolve where it is now. Types are kept of what is public only. */
function finish(file: string): void {
  const isTypes = file.endsWith('.d.ts');
  if (isTypes && !file.startsWith(join(dist, 'runtime', 'api'))) return rmSync(file);
  let text = readFileSync(file, 'utf8');
  if (isTypes) text = text.replace(/(from '\.[^']*)\.ts'/g, "$1.js'");
  else text = text.replaceAll(/(['"])@millrace\/runtime\/api\1/g, `'${relativePath(dirname(file), api)}'`);
  const left = /(from|import\() *['"](@millrace\/[^'"]*|\.[^'"]*\.ts)['"]/.exec(text);
  if (left !== null) throw new Error(`${file}: "${left[2]}" would not resolve once it is installed`);
  writeFileSync(file, text);
}

function relativePath(from: string, to: string): string {
  const path = relative(from, to).replaceAll('\\', '/');
  return path.startsWith('.') ? path : `./${path}`;
}

function made(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;
}

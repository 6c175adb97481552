/** What we look at in a package.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly millrace?: { readonly plugins: readonly { readonly module: string }[] };
}

/**
 * The tarball's one package.json is the root's: it has to name what all packages of the repository depend on, and
 * nothing else. One sentence for each difference.
 */
export function dependencyProblems(root: Manifest, packages: readonly { folder: string; manifest: Manifest }[]): string[] {
  const problems: string[] = [];
  const needed = new Set<string>();
  for (const { folder, manifest } of packages) {
    if (manifest.version !== root.version)
      problems.push(`${folder}/package.json: version ${manifest.version}, but the root's is ${root.version}`);
    for (const [name, range] of Object.entries(manifest.dependencies ?? {})) {
      if (name.startsWith('@millrace/')) continue;
      needed.add(name);
      const published = root.dependencies?.[name];
      if (published !== range)
        problems.push(`package.json: dependencies need "${name}": "${range}" (${folder}/package.json), not ${published ?? 'nothing'}`);
    }
  }
  for (const name of Object.keys(root.dependencies ?? {})) {
    if (!needed.has(name)) problems.push(`package.json: no package depends on "${name}"; tools and tests go to devDependencies`);
  }
  return problems;
}

/** A package's manifest as it lies in the tarball: who it is, and its plugins, by their compiled modules. */
export function packagedManifest({ name, version, millrace }: Manifest): object {
  const plugins = millrace?.plugins.map((plugin) => ({ ...plugin, module: plugin.module.replace(/\.ts$/, '.js') }));
  return { name, version, type: 'module', private: true, ...(plugins === undefined ? {} : { millrace: { plugins } }) };
}

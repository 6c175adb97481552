import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { cached, lock, cacheFolder } from './cache.ts';
import { requireCommand, run } from './command.ts';

/**
 * A cached folder with the jars of those artifacts ("group:artifact:version") and of all that they
 * need. `name` must say the versions, for it is what the cache goes by.
 */
export async function mavenJars(name: string, artifacts: readonly string[]): Promise<string> {
  const folder = await cached(name, async (draft) => {
    await requireCommand('java', 'openjdk-17-jdk-headless');
    const mvn = await requireCommand('mvn', 'maven');
    // Two Mavens at once can spoil the local repository that they share.
    await using _lock = await lock(join(cacheFolder(), 'maven.lock'));
    console.error(`[services] fetching ${name} from Maven …`);
    writeFileSync(join(draft, 'pom.xml'), pom(artifacts));
    await run(mvn, ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=libs', '-DincludeScope=runtime'], {
      cwd: draft,
    });
  });
  return join(folder, 'libs');
}

export const javaCommand = (): Promise<string> => requireCommand('java', 'openjdk-17-jdk-headless');

function pom(artifacts: readonly string[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [groupId, artifactId, version] = artifact.split(':');
    return `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    ${dependencies.join('\n    ')}
  </dependencies>
</project>
`;
}

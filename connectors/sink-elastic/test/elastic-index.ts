/** What stands in an index, asked of Elasticsearch itself. */
export interface StoredDocument {
  readonly _id: string;
  readonly _version: number;
  readonly _source: Readonly<Record<string, unknown>>;
}

let next = 0;

/** A name of its own for each use, so that tests share a server and nothing else. */
export const freshName = (): string => `t-${process.pid}-${Date.now().toString(36)}-${next++}`;

export async function ask(url: string, method: string, path: string, json?: unknown): Promise<Record<string, unknown>> {
  const body = json === undefined ? {} : { body: JSON.stringify(json), headers: { 'content-type': 'application/json' } };
  const answer = await fetch(`${url}${path}`, { method, ...body });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, unknown>;
}

/** All documents, by id. */
export async function documentsOf(url: string, index: string): Promise<Map<string, StoredDocument>> {
  await ask(url, 'POST', `/${index}/_refresh`);
  const found = new Map<string, StoredDocument>();
  let after: unknown;
  for (;;) {
    const query = { size: 10_000, version: true, sort: ['_doc'], ...(after === undefined ? {} : { search_after: after }) };
    const { hits } = (await ask(url, 'POST', `/${index}/_search`, query)) as { hits: { hits: (StoredDocument & { sort: unknown })[] } };
    for (const hit of hits.hits) {
      if (found.has(hit._id)) throw new Error(`document ${hit._id} was found twice`);
      found.set(hit._id, hit);
    }
    if (hits.hits.length < 10_000) return found;
    after = hits.hits.at(-1)?.sort;
  }
}

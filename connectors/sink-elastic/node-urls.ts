/**
 * The nodes as whole URLs. Those without a scheme take https where another one has it, else http. Throws an Error that
 * says which is none; user and password are never in it.
 */
export function nodeUrls(nodes: readonly string[]): URL[] {
  const texts = nodes.map((node) => node.trim()).filter((node) => node !== '');
  if (texts.length === 0) throw new Error('Name a node, such as http://localhost:9200');
  const scheme = texts.some((node) => node.toLowerCase().startsWith('https:')) ? 'https' : 'http';
  return texts.map((text) => {
    const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `${scheme}://${text}`;
    if (!URL.canParse(whole)) throw new Error(`${withoutCredentials(text)} is not a URL; write it like http://host:9200`);
    const url = new URL(whole);
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new Error(`${withoutCredentials(text)}: its scheme must be http or https`);
    return url;
  });
}

export function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/?#]*@/i, '$1');
}
